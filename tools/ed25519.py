"""Verifies Ed25519 signatures: RFC 8032, section 5.1. For public data only: its time is not constant.

Points are (X, Y, Z, T) with x = X/Z, y = Y/Z and xy = T/Z.
"""
import functools, hashlib

P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ZERO = (0, 1, 1, 0)


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def decompress(octets):
    y = int.from_bytes(octets, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = decompress((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_key(octets):
    """Whether it is a point that not everybody can sign for: of no small order."""
    point = decompress(octets)
    for _ in range(3):
        point = point and add(point, point)
    return bool(point) and (point[0] % P, (point[1] - point[2]) % P) != (0, 0)


@functools.lru_cache(maxsize=1 << 16)
def verifies(key, message, signature):
    """Whether the holder of `key` signed `message`: R = sB - kA."""
    point, s = decompress(key), int.from_bytes(signature[32:], "little")
    if s >= Q or not is_key(key):
        return False
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % Q
    minus = (P - point[0], point[1], 1, P - point[3])
    sums = {(0, 1): minus, (1, 0): BASE, (1, 1): add(BASE, minus)}
    r = ZERO
    for bit in range(252, -1, -1):
        r = add(r, r)
        bits = (s >> bit & 1, k >> bit & 1)
        if bits != (0, 0):
            r = add(r, sums[bits])
    inverse = pow(r[2], P - 2, P)
    x, y = r[0] * inverse % P, r[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little") == signature[:32]
