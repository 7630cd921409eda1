// Small matrices turned over, four by four numbers at a time.
#pragma once

#include <cstdint>
#include <cstring>

namespace hybrid {

// to[j * to_stride + i] = from[i * from_stride + j] for n_row rows i of n_column numbers j.
template <class Real>
void transpose(const Real *from, int64_t from_stride, Real *to, int64_t to_stride, int64_t n_row,
               int64_t n_column) {
  for (int64_t i = 0; i < n_row; ++i)
    for (int64_t j = 0; j < n_column; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

#ifdef __GNUC__
// Compilers do not find these shuffles in the loops above.
inline void transpose(const float *from, int64_t from_stride, float *to, int64_t to_stride,
                      int64_t n_row, int64_t n_column) {
  constexpr int64_t side = 4;
  using Four = float __attribute__((vector_size(side * sizeof(float))));
  const int64_t whole_rows = n_row - n_row % side;
  const int64_t whole_columns = n_column - n_column % side;
  for (int64_t i = 0; i < whole_rows; i += side)
    for (int64_t j = 0; j < whole_columns; j += side) {
      Four row[side];
      for (int64_t k = 0; k < side; ++k)
        std::memcpy(&row[k], from + (i + k) * from_stride + j, sizeof(Four));
      const Four low01 = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
      const Four high01 = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
      const Four low23 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
      const Four high23 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
      const Four column[side] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
                                 __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
                                 __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
                                 __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
      for (int64_t k = 0; k < side; ++k)
        std::memcpy(to + (j + k) * to_stride + i, &column[k], sizeof(Four));
    }
  transpose<float>(from + whole_columns, from_stride, to + whole_columns * to_stride, to_stride,
                   whole_rows, n_column - whole_columns);
  transpose<float>(from + whole_rows * from_stride, from_stride, to + whole_rows, to_stride,
                   n_row - whole_rows, n_column);
}
#endif

}  // namespace hybrid
