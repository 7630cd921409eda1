#include "session.hpp"

#include <omp.h>

#include <algorithm>
#include <cfenv>

namespace hybrid_native {

namespace {

// Numbers of a workspace: a program with values too large for it runs fewer columns at once.
constexpr int64_t most_numbers = int64_t{1} << 24;
constexpr int64_t narrow = 8;  // columns
// Numbers that stay in the first cache: programs of fewer rows gain nothing from smaller blocks.
constexpr int64_t few_numbers = int64_t{1} << 13;

// Bytes of a column of a field.
int64_t column_size(const FieldForm &field) {
  const size_t item = field.type == Type::float64 ? sizeof(double) : sizeof(float);
  return field.size * static_cast<int64_t>(item);
}

int64_t rounded(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

Session::Session(const Model &model, int64_t n, const void *const *arguments)
    : model_(&model), n_(n) {
  const auto &kernels = *model.kernels;
  const bool is_small = model.compiled.n_row * kernels.block <= few_numbers;
  block_ = n <= kernels.block || is_small ? kernels.block : kernels.block_of_many;
  // Every thread gets columns, as far as there are enough for whole vectors.
  if (model.n_thread > 1) block_ = std::clamp(rounded(n / model.n_thread, narrow), narrow, block_);
  if (model.compiled.n_row * block_ > most_numbers) block_ = narrow;
  if (model.compiled.n_row * block_ > most_numbers) block_ = 1;
  block_ = std::max<int64_t>(1, std::min(block_, n));
  const size_t n_argument = model.fields.arguments.size();
  for (size_t i = 0; i < n_argument; ++i)
    arguments_.push_back(static_cast<const std::byte *>(arguments[i]));
  const int64_t n_block = (n + block_ - 1) / block_;
  const auto n_worker = std::clamp<int64_t>(model.n_thread, 1, std::max<int64_t>(1, n_block));
  for (int64_t i = 0; i < n_worker; ++i) {
    const int64_t size = model.compiled.n_row * stride_of(block_) + row_unit;
    workers_.push_back({std::vector<const void *>(n_argument),
                        std::vector<void *>(model.fields.results.size()),
                        aligned_numbers(static_cast<size_t>(size))});
  }
}

// A column alone needs no padding, few fill one short vector, more fill whole ones.
int64_t Session::stride_of(int64_t n) const {
  if (n <= 1) return 1;
  return rounded(n, n <= narrow ? narrow : std::max(narrow, model_->kernels->lanes));
}

void Session::run(void *const *results) {
  if (workers_.size() == 1) return run_blocks(workers_[0], results, 0, n_);
  const int64_t n_block = (n_ + block_ - 1) / block_;
  const auto n_worker = static_cast<int64_t>(workers_.size());
#pragma omp parallel num_threads(n_worker)
  {
    // Threads of the host's pool may trap or round as it pleases the host. Fewer may come than
    // were asked for.
    std::fenv_t host;
    std::fegetenv(&host);
    std::fesetenv(FE_DFL_ENV);
#pragma omp for schedule(static)
    for (int64_t i = 0; i < n_worker; ++i)
      run_blocks(workers_[static_cast<size_t>(i)], results, i * n_block / n_worker * block_,
                 std::min(n_, (i + 1) * n_block / n_worker * block_));
    std::fesetenv(&host);
  }
}

void Session::run_blocks(Worker &worker, void *const *results, int64_t first, int64_t last) const {
  for (; first < last; first += block_)
    run_block(worker, results, first, std::min(block_, last - first));
}

void Session::run_block(Worker &worker, void *const *results, int64_t first, int64_t n) const {
  const auto &fields = model_->fields;
  for (size_t i = 0; i < fields.arguments.size(); ++i)
    worker.arguments[i] = arguments_[i] + first * column_size(fields.arguments[i]);
  for (size_t i = 0; i < fields.results.size(); ++i)
    worker.results[i] =
        static_cast<std::byte *>(results[i]) + first * column_size(fields.results[i]);
  const Columns columns{worker.arguments.data(), worker.results.data(), n, stride_of(n),
                        worker.rows.get()};
  const auto code = model_->compiled.code();
  model_->kernels->run(&code, &columns);
}

}  // namespace hybrid_native
