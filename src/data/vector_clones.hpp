#pragma once
// Hot loops are compiled for AVX2 as well and chosen at start. Without FMA, so that every machine
// computes the same. Sanitizers run before the choice can be made.

#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define SOSIA_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define SOSIA_VECTOR_CLONES
#endif
