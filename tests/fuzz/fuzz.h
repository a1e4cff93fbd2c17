/* fuzz.h -- what libFuzzer, or driver.c in its place, calls in every target. */
#ifndef SEVE_FUZZ_H
#define SEVE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
