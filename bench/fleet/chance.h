/*
 * Random numbers that are the same for the same seed, on every machine: integers and divisions, nothing of libm.
 */
#ifndef PAM_COGNITO_FLEET_CHANCE_H
#define PAM_COGNITO_FLEET_CHANCE_H

#include <stddef.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

struct chance chance_begin(uint64_t seed);

/* 64 bits: SplitMix64 of Steele, Lea and Flood. */
uint64_t chance_bits(struct chance *chance);

/* From 0 up to, but not including, 1. */
double chance_unit(struct chance *chance);

/* An integer from `low` to `high`, both included. */
int64_t chance_between(struct chance *chance, int64_t low, int64_t high);

/* Around 0 with a standard deviation of 1, as a normal distribution but for its ends: a sum of twelve. */
double chance_normal(struct chance *chance);

/* One point of a distribution: so many of a thousand are not above `value`. */
struct quantile {
    int thousandth;
    int64_t value;
};

/* A value of the distribution through `points`, the first of them for 0, the last for 1000; straight lines in between.
 */
int64_t chance_quantile(struct chance *chance, const struct quantile *points);

#endif
