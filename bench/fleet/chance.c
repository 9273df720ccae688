#include "chance.h"

struct chance chance_begin(uint64_t seed)
{
    return (struct chance){.state = seed};
}

uint64_t chance_bits(struct chance *chance)
{
    uint64_t z = chance->state += 0x9E3779B97F4A7C15U;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

double chance_unit(struct chance *chance)
{
    return (double)(chance_bits(chance) >> 11) / (double)(UINT64_C(1) << 53);
}

int64_t chance_between(struct chance *chance, int64_t low, int64_t high)
{
    return low + (int64_t)(chance_unit(chance) * (double)(high - low + 1));
}

double chance_normal(struct chance *chance)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += chance_unit(chance);
    return sum - 6;
}

int64_t chance_quantile(struct chance *chance, const struct quantile *points)
{
    double at = chance_unit(chance) * 1000;

    while (at >= points[1].thousandth)
        points++;
    at = (at - points[0].thousandth) / (points[1].thousandth - points[0].thousandth);
    return points[0].value + (int64_t)(at * (double)(points[1].value - points[0].value));
}
