// The TorchScript engine: the only file that includes torch.

#include <ATen/Parallel.h>
#include <omp.h>
#include <torch/script.h>
#include <torch/version.h>

#include <cstdio>
#include <cstring>
#include <sstream>

#include "hybrid_engine.h"

// MKL keeps a thread count of its own beside OpenMP's. Null where torch was built without MKL.
extern "C" int MKL_Set_Num_Threads_Local(int) __attribute__((weak));

namespace {

struct Result {
  std::string name;
  at::ScalarType type;
};

struct Model {
  torch::jit::Module module;
  std::vector<at::ScalarType> argument_types;
  std::vector<Result> results;
};

at::ScalarType scalar_type(int kind) { return kind == 8 ? at::kDouble : at::kFloat; }

// One thread inside, whatever the host uses; with both cores of a node busy, the barriers of a
// second thread cost a hundred times the arithmetic. The host's setting comes back after.
class OneThread {
 public:
  OneThread() : host_(omp_get_max_threads()) {
    // The first parallel call of a thread lets torch set the thread count; have that done now.
    at::internal::lazy_init_num_threads();
    omp_set_num_threads(1);
    if (MKL_Set_Num_Threads_Local) mkl_ = MKL_Set_Num_Threads_Local(1);
  }
  ~OneThread() {
    omp_set_num_threads(host_);
    if (MKL_Set_Num_Threads_Local) MKL_Set_Num_Threads_Local(mkl_);
  }
  OneThread(const OneThread &) = delete;
  OneThread &operator=(const OneThread &) = delete;

 private:
  int host_;
  int mkl_ = 0;
};

template <class Body>
int guarded(char *message, size_t size, Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const c10::Error &error) {
    std::snprintf(message, size, "%s", error.what_without_backtrace());
  } catch (const std::exception &error) {
    std::snprintf(message, size, "%s", error.what());
  } catch (...) {
    std::snprintf(message, size, "unknown exception");
  }
  return 1;
}

int open_model(const void *bytes, size_t n_bytes, const hybrid_engine_field *arguments,
               int n_argument, const hybrid_engine_field *results, int n_result, void **model,
               char *message, size_t size) {
  return guarded(message, size, [&] {
    const OneThread one_thread;
    std::istringstream stream(std::string(static_cast<const char *>(bytes), n_bytes));
    auto loaded = std::make_unique<Model>();
    loaded->module = torch::jit::load(stream, at::kCPU);
    loaded->module.eval();
    const auto parameters = loaded->module.get_method("forward").function().getSchema();
    if (static_cast<int>(parameters.arguments().size()) - 1 != n_argument)
      throw std::runtime_error("forward: expected " + std::to_string(n_argument) +
                               " arguments (inputs, state, noise), got " +
                               std::to_string(parameters.arguments().size() - 1));
    loaded->module = torch::jit::freeze(loaded->module);
    for (int i = 0; i < n_argument; ++i)
      loaded->argument_types.push_back(scalar_type(arguments[i].kind));
    for (int i = 0; i < n_result; ++i)
      loaded->results.push_back({results[i].name, scalar_type(results[i].kind)});
    *model = loaded.release();
  });
}

std::vector<int64_t> full_shape(const hybrid_engine_call &call, size_t field) {
  std::vector<int64_t> shape{call.n};
  for (const int64_t *extent = call.shapes[field]; *extent >= 0; ++extent) shape.push_back(*extent);
  return shape;
}

void copy_result(const hybrid_engine_call &call, size_t shape_index, const Result &expected,
                 const at::Tensor &tensor, void *destination) {
  const auto shape = full_shape(call, shape_index);
  if (tensor.scalar_type() != expected.type || tensor.sizes() != at::IntArrayRef(shape)) {
    std::ostringstream text;
    text << expected.name << ": expected a tensor of shape " << at::IntArrayRef(shape)
         << " and type " << expected.type << ", got " << tensor.sizes() << " and "
         << tensor.scalar_type() << "; the closure's forward and its spec disagree";
    throw std::runtime_error(text.str());
  }
  const auto contiguous = tensor.contiguous();
  std::memcpy(destination, contiguous.data_ptr(), contiguous.nbytes());
}

int run_model(void *opaque, const hybrid_engine_call *call, char *message, size_t size) {
  return guarded(message, size, [&] {
    auto &model = *static_cast<Model *>(opaque);
    const c10::InferenceMode inference;
    const OneThread one_thread;
    std::vector<c10::IValue> arguments;
    const size_t n_argument = model.argument_types.size();
    arguments.reserve(n_argument);
    for (size_t i = 0; i < n_argument; ++i)
      arguments.emplace_back(at::from_blob(const_cast<void *>(call->arguments[i]),
                                           full_shape(*call, i),
                                           at::TensorOptions(model.argument_types[i])));
    const auto value = model.module.forward(std::move(arguments));
    if (!value.isTuple())
      throw std::runtime_error("forward: expected a tuple of tensors, got " + value.tagKind());
    const auto &elements = value.toTupleRef().elements();
    if (elements.size() != model.results.size())
      throw std::runtime_error("forward: expected " + std::to_string(model.results.size()) +
                               " results (outputs, new state), got " +
                               std::to_string(elements.size()));
    for (size_t i = 0; i < elements.size(); ++i)
      copy_result(*call, n_argument + i, model.results[i], elements[i].toTensor(),
                  call->results[i]);
  });
}

void close_model(void *model) { delete static_cast<Model *>(model); }

const hybrid_engine engine = {
    HYBRID_ENGINE_ABI_VERSION, "torchscript", TORCH_VERSION, open_model, run_model, close_model};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v1(void) {
  return &engine;
}
