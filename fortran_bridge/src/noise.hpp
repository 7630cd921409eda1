// Counter-based standard normal numbers: no state, hence independent of the decomposition.
#pragma once

#include <cstdint>

namespace hybrid {

// values[n_column][size], keyed by (seed, column id, step, field number); see hybrid_noise.
template <class Real>
void fill_noise(uint64_t seed, int64_t field, int64_t step, int64_t n_column,
                const int64_t *column_id, int64_t size, Real *values);

}  // namespace hybrid
