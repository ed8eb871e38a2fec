// Packed weights times a few vectors, on a processor; packing_grok2.py says how the bits lie.
//
// A vector is rounded to 16 bits a group at a time, 1/65,000 of its largest entry, so that integer
// products do the work (32 or more an instruction) and memory is what limits the speed.

#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#if defined(__AVX512BW__) && defined(__AVX512VL__)
#include <immintrin.h>
#define WIDE 1
#endif

namespace {

inline float widen(uint16_t bits) {  // bfloat16 to float32
  uint32_t word = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof(value));
  return value;
}

// Levels of one group, as 16-bit integers.
template <int BITS, int GROUP>
inline void unpack(const uint8_t* codes, int16_t* levels) {
  if constexpr (BITS == 8) {
    for (int j = 0; j < GROUP; ++j) levels[j] = codes[j];
  } else if constexpr (BITS == 4) {
    constexpr int m = GROUP / 2;
    for (int j = 0; j < m; ++j) {
      levels[j] = codes[j] & 15;
      levels[m + j] = codes[j] >> 4;
    }
  } else {
    constexpr int m = GROUP / 4, h = GROUP / 8;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < m; ++j) levels[i * m + j] = (codes[j] >> (2 * i)) & 3;
    if constexpr (BITS == 3) {
      for (int i = 0; i < 8; ++i)
        for (int j = 0; j < h; ++j) levels[i * h + j] |= ((codes[m + j] >> i) & 1) << 2;
    }
  }
}

#ifdef WIDE
// 64 levels of one group from `start`, as bytes of one register.
template <int BITS, int GROUP>
inline __m512i levels64(const uint8_t* codes, int start) {
  if constexpr (BITS == 8) {
    return _mm512_loadu_si512(codes + start);
  } else if constexpr (BITS == 4) {
    if constexpr (GROUP == 128) {
      __m512i both = _mm512_loadu_si512(codes);
      if (start) both = _mm512_srli_epi16(both, 4);
      return _mm512_and_si512(both, _mm512_set1_epi8(15));
    } else {
      __m256i both = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
      __m512i twice = _mm512_inserti64x4(_mm512_castsi256_si512(both),
                                         _mm256_srli_epi16(both, 4), 1);
      return _mm512_and_si512(twice, _mm512_set1_epi8(15));
    }
  } else {
    __m512i low;
    if constexpr (GROUP == 128) {
      __m512i bytes = _mm512_broadcast_i64x4(
          _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes)));
      __m512i shift = _mm512_inserti64x4(_mm512_set1_epi16(start ? 4 : 0),
                                         _mm256_set1_epi16(start ? 6 : 2), 1);
      low = _mm512_srlv_epi16(bytes, shift);
    } else {
      __m512i bytes = _mm512_broadcast_i32x4(
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes)));
      const __m512i shift = _mm512_set_epi64(0x0006000600060006, 0x0006000600060006,
                                             0x0004000400040004, 0x0004000400040004,
                                             0x0002000200020002, 0x0002000200020002, 0, 0);
      low = _mm512_srlv_epi16(bytes, shift);
    }
    low = _mm512_and_si512(low, _mm512_set1_epi8(3));
    if constexpr (BITS == 3) {
      __m512i bytes, shift;
      if constexpr (GROUP == 128) {
        bytes = _mm512_broadcast_i32x4(
            _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes + 32)));
        const int64_t first = start ? 4 : 0;
        shift = _mm512_set_epi64(first + 3, first + 3, first + 2, first + 2, first + 1, first + 1,
                                 first, first);
      } else {
        int64_t eight;
        std::memcpy(&eight, codes + 16, 8);
        bytes = _mm512_set1_epi64(eight);
        shift = _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
      }
      __m512i high = _mm512_and_si512(_mm512_srlv_epi64(bytes, shift), _mm512_set1_epi8(1));
      low = _mm512_or_si512(low, _mm512_slli_epi16(high, 2));
    }
    return low;
  }
}

inline __m512i add_products(__m512i sum, __m512i a, const int16_t* b) {
  __m512i other = _mm512_loadu_si512(b);
#ifdef __AVX512VNNI__
  return _mm512_dpwssd_epi32(sum, a, other);
#else
  return _mm512_add_epi32(sum, _mm512_madd_epi16(a, other));
#endif
}
#endif

// One row times one vector: sum over groups of factor · (levels · x), plus the offsets' part.
template <int BITS, int GROUP>
inline float row_times(const uint8_t* codes, const uint16_t* scales, const uint16_t* offsets,
                       const int16_t* x, const float* step, const float* sums, int64_t groups,
                       float* factors) {
  constexpr float half = ((1 << BITS) - 1) / 2.0f;
  constexpr int bytes = GROUP * BITS / 8;
  float total = 0;
  for (int64_t g = 0; g < groups; ++g) {
    const float scale = widen(scales[g]);
    factors[g] = scale * step[g];
    total += (widen(offsets[g]) - half * scale) * sums[g];
  }
#ifdef WIDE
  if constexpr (GROUP >= 64) {
    __m512 lanes = _mm512_setzero_ps();
    for (int64_t g = 0; g < groups; ++g) {
      __m512i sum = _mm512_setzero_si512();
      for (int start = 0; start < GROUP; start += 64) {
        const __m512i levels = levels64<BITS, GROUP>(codes + g * bytes, start);
        const int16_t* from = x + g * GROUP + start;
        sum = add_products(sum, _mm512_cvtepu8_epi16(_mm512_castsi512_si256(levels)), from);
        sum = add_products(sum, _mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(levels, 1)),
                           from + 32);
      }
      lanes = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(factors[g]), lanes);
    }
    return total + _mm512_reduce_add_ps(lanes);
  }
#endif
  for (int64_t g = 0; g < groups; ++g) {
    alignas(64) int16_t levels[GROUP];
    unpack<BITS, GROUP>(codes + g * bytes, levels);
    int32_t sum = 0;
    for (int j = 0; j < GROUP; ++j) sum += static_cast<int32_t>(levels[j]) * x[g * GROUP + j];
    total += factors[g] * static_cast<float>(sum);
  }
  return total;
}

struct Vectors {  // the vectors in 16 bits, with each group's step and sum
  std::vector<int16_t> levels;
  std::vector<float> steps, sums;

  Vectors(const float* x, int64_t count, int64_t width, int64_t group)
      : levels(count * width), steps(count * width / group), sums(count * width / group) {
    for (int64_t g = 0; g < count * width / group; ++g) {
      const float* from = x + g * group;
      float largest = 0;
      for (int64_t j = 0; j < group; ++j) largest = std::max(largest, std::fabs(from[j]));
      const float inverse = largest > 0 ? 32767.0f / largest : 0.0f;
      int64_t sum = 0;
      for (int64_t j = 0; j < group; ++j) {
        const auto level = static_cast<int16_t>(std::lrintf(from[j] * inverse));
        levels[g * group + j] = level;
        sum += level;
      }
      steps[g] = largest / 32767.0f;
      sums[g] = steps[g] * static_cast<float>(sum);
    }
  }
};

template <int BITS, int GROUP>
void multiply(const float* x, const uint8_t* codes, const uint16_t* scales, const int64_t* experts,
              float* out, int64_t count, int64_t rows, int64_t width) {
  const int64_t groups = width / GROUP, bytes = width * BITS / 8;
  const Vectors vectors(x, count, width, GROUP);
  at::parallel_for(0, rows, 16, [&](int64_t begin, int64_t end) {
    std::vector<float> factors(groups);
    for (int64_t s = 0; s < count; ++s) {  // each has its own expert: its rows are read in order
      const int64_t first = experts[s] * rows;
      for (int64_t n = begin; n < end; ++n) {
        out[s * rows + n] = row_times<BITS, GROUP>(
            codes + (first + n) * bytes, scales + (2 * first + n) * groups,
            scales + (2 * first + rows + n) * groups, vectors.levels.data() + s * width,
            vectors.steps.data() + s * groups, vectors.sums.data() + s * groups, groups,
            factors.data());
      }
    }
  });
}

template <int BITS>
bool by_group(int64_t group, const float* x, const uint8_t* codes, const uint16_t* scales,
              const int64_t* experts, float* out, int64_t count, int64_t rows, int64_t width) {
  switch (group) {
    case 32: multiply<BITS, 32>(x, codes, scales, experts, out, count, rows, width); return true;
    case 64: multiply<BITS, 64>(x, codes, scales, experts, out, count, rows, width); return true;
    case 128: multiply<BITS, 128>(x, codes, scales, experts, out, count, rows, width); return true;
    default: return false;
  }
}

}  // namespace

// x (count, width), codes (experts, rows, …), scales (experts, 2, rows, groups), experts (count,) to
// out (count, rows).
extern "C" bool packed_multiply(const float* x, const uint8_t* codes, const uint16_t* scales,
                                const int64_t* experts, float* out, int64_t count, int64_t rows,
                                int64_t width, int64_t bits, int64_t group) {
  switch (bits) {
    case 8: return by_group<8>(group, x, codes, scales, experts, out, count, rows, width);
    case 4: return by_group<4>(group, x, codes, scales, experts, out, count, rows, width);
    case 3: return by_group<3>(group, x, codes, scales, experts, out, count, rows, width);
    case 2: return by_group<2>(group, x, codes, scales, experts, out, count, rows, width);
    default: return false;
  }
}
