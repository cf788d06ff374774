# SPDX-License-Identifier: Apache-2.0
"""Reference values for vectors/epsilon, with 40 digits and without a lattice. Needs mpmath."""
from mpmath import *

mp.dps = 40


def solve(delta_at, delta, high, steps=120):
    """The least epsilon with delta_at(epsilon) <= delta."""
    low, high = mpf(0), mpf(high)
    for _ in range(steps):
        middle = (low + high) / 2
        if delta_at(middle) <= delta:
            high = middle
        else:
            low = middle
    return high


def gaussian(mu, e):
    """Balle and Wang 2018, Theorem 8."""
    phi = lambda x: erfc(-x / sqrt(2)) / 2
    return phi(mu / 2 - e / mu) - exp(e) * phi(-mu / 2 - e / mu)


def worst_pairs(epsilon, n):
    """The losses (n-2j)*epsilon and their probabilities."""
    epsilon = mpf(epsilon)
    return [((n - 2 * j) * epsilon, binomial(n, j) * exp((n - j) * epsilon) / (1 + exp(epsilon)) ** n) for j in range(n + 1)]


def kairouz_oh_viswanath(epsilon, own, n, delta):
    infinite = 1 - (1 - mpf(own)) ** n
    finite = lambda e: sum(p * (1 - exp(e - l)) for l, p in worst_pairs(epsilon, n) if l > e)
    return solve(finite, (mpf(delta) - infinite) / (1 - infinite), n * mpf(epsilon))


def laplace(b, n, delta):
    """n Laplace draws: i of them at the loss +eps, j at -eps, the sum of the other m between."""
    eps = 1 / mpf(b)

    def term(i, j, e):
        m = n - i - j
        weight = factorial(n) / (factorial(i) * factorial(j) * factorial(m)) / mpf(2) ** i * (exp(-eps) / 2) ** j
        base = (i - j) * eps
        if m == 0:
            return weight * max(0, 1 - exp(e - base))
        # Between, each has density exp((l-eps)/2)/4: the sum x has exp(x/2) times an Irwin-Hall density.
        top, t, total = m * eps, e - base, mpf(0)
        low = max(t, -top)
        for k in range(m + 1):
            reach = top - 2 * eps * k - low
            if reach <= 0:
                break
            above = exp((low + reach) / 2) * gammainc(m, 0, reach / 2) * mpf(2) ** m
            below = exp(-(low + reach) / 2) * reach ** m / m * hyp1f1(m, m + 1, reach / 2)
            total += (-1) ** k * binomial(m, k) * (above - exp(t) * below)
        return weight * (exp(-eps / 2) / 4) ** m * total / factorial(m - 1)

    return solve(lambda e: sum(term(i, j, e) for i in range(n + 1) for j in range(n - i + 1)), mpf(delta), n * eps, 60)


def selection_laplace_gaussian(epsilon, own, n, b, sigma, delta):
    eps, mu = 1 / mpf(b), 1 / mpf(sigma)
    infinite = 1 - (1 - mpf(own)) ** n

    def two(e):
        between = quad(lambda l: exp((l - eps) / 2) / 4 * gaussian(mu, e - l), linspace(-eps, eps, 9))
        return gaussian(mu, e - eps) / 2 + exp(-eps) / 2 * gaussian(mu, e + eps) + between

    return solve(lambda e: infinite + (1 - infinite) * sum(p * two(e - l) for l, p in worst_pairs(epsilon, n)), mpf(delta), 20, 60)


def discrete(b, d, n, delta):
    a = 1 / mpf(b)
    q = exp(-a)
    one = {d: 1 / (1 + q), -d: q ** d / (1 + q)}
    for j in range(1, d):
        one[d - 2 * j] = q ** j * (1 - q) / (1 + q)
    total = {0: mpf(1)}
    for _ in range(n):
        step = {}
        for x, p in total.items():
            for y, r in one.items():
                step[x + y] = step.get(x + y, 0) + p * r
        total = step
    return solve(lambda e: sum(p * (1 - exp(e - a * x)) for x, p in total.items() if a * x > e), mpf(delta), n * a * d)


for name, value in (
    ("K1", lambda: kairouz_oh_viswanath("0.1", 0, 10, "1e-6")),
    ("K4", lambda: kairouz_oh_viswanath("0.05", "1e-7", 20, "1e-5")),
    ("K5", lambda: kairouz_oh_viswanath("0.05", "1e-7", 20, "3e-6")),
    ("L4", lambda: laplace(1, 2, "1e-3")),
    ("L5", lambda: laplace(10, 10, "1e-6")),
    ("S1", lambda: selection_laplace_gaussian("0.1", "1e-8", 5, 2, 3, "1e-6")),
    ("D1", lambda: discrete(5, 3, 10, mpf("1e-6"))),
    ("D2", lambda: discrete(5, 1, 40, mpf("1e-6"))),
    ("D3", lambda: discrete(20, 4, 100, mpf("1e-9"))),
):
    print(name, nstr(value(), 15), flush=True)
