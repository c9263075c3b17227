/* Derivatives of activations from z, as a C program computes them by a vector library's exponential.

   Compiled with -DEXP=NAME, the exponential of one vector, -DREAL=float or double, and -DBYTES=64 or 32, a vector's size.
   The formulas are those of actbench's strategy recompute. */

#include <stddef.h>
#include <string.h>

#define LANES (BYTES / sizeof(REAL))

typedef REAL vector __attribute__((vector_size(BYTES)));
typedef REAL unaligned __attribute__((vector_size(BYTES), aligned(sizeof(REAL)), may_alias));
typedef __typeof__((vector){} < (vector){}) mask;

vector EXP(vector);

static inline vector chosen(mask where, vector a, vector b) { return (vector)((where & (mask)a) | (~where & (mask)b)); }

static inline vector negative_size(vector z) { return chosen(z < 0, z, -z); }

static inline vector logistic(vector z) {
    vector e = EXP(negative_size(z));
    return e / (1 + e * (2 + e));
}

static inline vector tanh_(vector z) {
    vector e = EXP(2 * negative_size(z));
    return 4 * e / (1 + e * (2 + e));
}

static inline vector silu(vector z) {
    vector a = -negative_size(z), e = EXP(-a), d = 1 + e;
    return chosen(z < 0, e * ((1 - a) + e), 1 + e * (1 + a)) / (d * d);
}

#define LOOP(name, formula)                                                  \
    void name(REAL *out, const REAL *z, size_t n) {                          \
        size_t i = 0;                                                        \
        for (; i + LANES <= n; i += LANES)                                   \
            *(unaligned *)(out + i) = formula(*(const unaligned *)(z + i));  \
        vector rest = {};                                                    \
        memcpy(&rest, z + i, (n - i) * sizeof(REAL));                        \
        rest = formula(rest);                                                \
        memcpy(out + i, &rest, (n - i) * sizeof(REAL));                      \
    }

LOOP(logistic_derivative, logistic)
LOOP(tanh_derivative, tanh_)
LOOP(silu_derivative, silu)
