#include "torch_session.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <omp.h>

#include <charconv>
#include <cstring>
#include <sstream>
#include <stdexcept>
#include <string_view>

// MKL keeps a thread count of its own beside OpenMP's. Null where torch was built without MKL.
extern "C" int MKL_Set_Num_Threads_Local(int) __attribute__((weak));

namespace hybrid_torch {

namespace {

at::ScalarType scalar_type(int kind) {
  if (kind == 4) return at::kFloat;
  if (kind == 8) return at::kDouble;
  throw std::runtime_error("kind: expected 4 or 8 bytes an element, got " + std::to_string(kind));
}

std::vector<int64_t> with_columns(int64_t n, const int64_t *extents) {
  std::vector<int64_t> shape{n};
  for (; *extents >= 0; ++extents) shape.push_back(*extents);
  return shape;
}

int cuda_count() {
  return at::globalContext().hasCUDA() ? at::detail::getCUDAHooks().deviceCount() : 0;
}

}  // namespace

std::vector<Field> fields_of(const hybrid_engine_field *fields, int n) {
  std::vector<Field> all;
  for (int i = 0; i < n; ++i) all.push_back({fields[i].name, scalar_type(fields[i].kind)});
  return all;
}

std::string described(at::ScalarType type, at::IntArrayRef shape) {
  std::ostringstream text;
  text << c10::getDtypeNames(type).first << ' ' << shape;
  return text.str();
}

std::string described(const at::Tensor &tensor) {
  if (!tensor.defined()) return "no tensor";
  return described(tensor.scalar_type(), tensor.sizes());
}

at::Device device_called(const char *name) {
  const std::string_view text = name;
  constexpr std::string_view cuda = "cuda:";
  if (text == "cpu") return at::kCPU;
  int index = -1;
  if (text.substr(0, cuda.size()) == cuda) {
    const auto digits = text.substr(cuda.size());
    const char *end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, index);
    if (parsed.ec != std::errc() || parsed.ptr != end) index = -1;
  }
  if (index < 0)
    throw std::runtime_error("device: expected 'cpu' or 'cuda:N' (N from 0), got '" +
                             std::string(text) + "'");
  const int count = cuda_count();
  if (count == 0)
    throw std::runtime_error("device: expected a CUDA device for '" + std::string(text) +
                             "', got none that this torch can use; load with device 'cpu', or "
                             "install a torch built for CUDA and check the driver");
  if (index >= count)
    throw std::runtime_error(
        "device: expected one of 'cuda:0' to 'cuda:" + std::to_string(count - 1) + "', got '" +
        std::string(text) + "'; choose one of these, or 'cpu'");
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

int device_count(const char *kind) noexcept {
  try {
    const std::string_view text = kind;
    return text == "cpu" ? 1 : text == "cuda" ? cuda_count() : 0;
  } catch (...) {
    return 0;
  }
}

int thread_count(const hybrid_engine_options &options) {
  if (options.n_thread < 1)
    throw std::runtime_error("n_thread: expected at least 1 thread, got " +
                             std::to_string(options.n_thread));
  return options.n_thread;
}

// torch sets the thread count itself at the first call of a thread: at::get_num_threads has that
// done before ours is set.
Threads::Threads(int n) : host_(omp_get_max_threads()) {
  if (at::get_num_threads() != n) omp_set_num_threads(n);
  if (MKL_Set_Num_Threads_Local) mkl_ = MKL_Set_Num_Threads_Local(n);
  if (n == 1) return;
  environments_.resize(static_cast<size_t>(n));
#pragma omp parallel num_threads(n)
  {
    auto &environment = environments_[static_cast<size_t>(omp_get_thread_num())];
    std::fegetenv(&environment.value);
    environment.is_kept = true;
    std::fesetenv(FE_DFL_ENV);
  }
}

Threads::~Threads() {
  // A team of the same size has the same threads.
  if (!environments_.empty()) {
#pragma omp parallel num_threads(static_cast<int>(environments_.size()))
    {
      const auto &environment = environments_[static_cast<size_t>(omp_get_thread_num())];
      if (environment.is_kept) std::fesetenv(&environment.value);
    }
  }
  if (omp_get_max_threads() != host_) omp_set_num_threads(host_);
  if (MKL_Set_Num_Threads_Local) MKL_Set_Num_Threads_Local(mkl_);
}

Tensors::Tensors(at::Device device, int64_t n, const std::vector<Field> &arguments,
                 const std::vector<Field> &results, const int64_t *const *shapes,
                 const void *const *addresses)
    : device_(device) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const auto shape = with_columns(n, shapes[i]);
    const at::TensorOptions options(arguments[i].type);
    // Tensors have no const elements; export has shown that forward leaves its arguments alone.
    const auto host = at::from_blob(const_cast<void *>(addresses[i]), shape, options);
    if (device_.is_cpu()) {
      arguments_.push_back(host);
    } else {
      hosts_.push_back(host);
      pinned_.push_back(at::empty(shape, options.pinned_memory(true)));
      arguments_.push_back(at::empty(shape, options.device(device_)));
    }
  }
  for (size_t i = 0; i < results.size(); ++i) {
    auto shape = with_columns(n, shapes[arguments.size() + i]);
    at::Tensor pinned;
    if (!device_.is_cpu())
      pinned = at::empty(shape, at::TensorOptions(results[i].type).pinned_memory(true));
    results_.push_back({results[i].name, results[i].type, std::move(shape), std::move(pinned)});
  }
}

void Tensors::fetch() {
  for (size_t i = 0; i < hosts_.size(); ++i) {
    std::memcpy(pinned_[i].mutable_data_ptr(), hosts_[i].const_data_ptr(), hosts_[i].nbytes());
    arguments_[i].copy_(pinned_[i], /*non_blocking=*/true);
  }
}

void Tensors::expect_results(size_t found) const {
  if (found != results_.size())
    throw std::runtime_error("forward: expected " + std::to_string(results_.size()) +
                             " results (outputs, new state), got " + std::to_string(found) +
                             "; the closure's forward and its spec disagree");
}

void Tensors::check(size_t i, const at::Tensor &found) const {
  const auto &expected = results_[i];
  if (found.defined() && found.scalar_type() == expected.type &&
      found.sizes() == at::IntArrayRef(expected.shape) && found.layout() == at::kStrided &&
      found.device() == device_)
    return;
  auto got = described(found);
  if (found.defined() && found.device() != device_) got += " on " + found.device().str();
  if (found.defined() && found.layout() != at::kStrided) got += ", sparse";
  throw std::runtime_error(expected.name + ": expected " +
                           described(expected.type, expected.shape) + ", got " + got +
                           "; the closure's forward and its spec disagree");
}

void Tensors::deliver(size_t i, const at::Tensor &found, void *destination) {
  auto &result = results_[i];
  if (!device_.is_cpu()) {
    result.pinned.copy_(found, /*non_blocking=*/true);
  } else if (found.is_contiguous() && !found.is_neg()) {
    std::memcpy(destination, found.const_data_ptr(), found.nbytes());
  } else {
    at::from_blob(destination, result.shape, at::TensorOptions(result.type)).copy_(found);
  }
}

void Tensors::finish(void *const *destinations) {
  if (device_.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device_.type()).getStream(device_).synchronize();
  for (size_t i = 0; i < results_.size(); ++i)
    std::memcpy(destinations[i], results_[i].pinned.const_data_ptr(), results_[i].pinned.nbytes());
}

}  // namespace hybrid_torch
