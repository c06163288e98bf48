/* Rust takes randomness from this library of Windows, which Wine 8 does not have. Wine's own source
 * has another name there. */
#include <windows.h>

#include <ntsecapi.h>

BOOL WINAPI ProcessPrng(BYTE *bytes, SIZE_T length) {
    return length <= ULONG_MAX && RtlGenRandom(bytes, (ULONG)length);
}
