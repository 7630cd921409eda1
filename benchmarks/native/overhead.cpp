// The bare call that the bridge is compared with, and the clock for both.
//
// FTorch makes for each call a tensor around the host's input and one around its output, runs
// torch::jit::Module::forward with gradients off, and copies the result; so does this.

#include <torch/script.h>

#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

namespace {

thread_local std::string last_error;

// An array [shape[0]]..., float32, that outlives the call.
struct Array {
  float *data;
  std::vector<int64_t> shape;

  at::Tensor tensor() const { return torch::from_blob(data, shape, torch::kFloat32); }
};

struct BareCall {
  torch::jit::Module module;
  bool is_frozen;
  std::vector<Array> inputs;
  std::vector<Array> outputs;
  // Made once where a host keeps its tensors from call to call; empty where it does not.
  std::vector<torch::jit::IValue> kept_inputs;
  std::vector<at::Tensor> kept_outputs;

  void keep_tensors() {
    for (const auto &input : inputs) kept_inputs.emplace_back(input.tensor());
    for (const auto &output : outputs) kept_outputs.push_back(output.tensor());
  }

  void operator()() {
    // What is frozen has no gradients to forbid, and may go without their book-keeping.
    const c10::InferenceMode inference(is_frozen);
    const torch::AutoGradMode no_gradient(false);
    auto arguments = kept_inputs;
    if (arguments.empty()) {
      arguments.reserve(inputs.size());
      for (const auto &input : inputs) arguments.emplace_back(input.tensor());
    }
    const auto result = module.forward(std::move(arguments));
    const auto &elements = result.toTupleRef().elements();
    for (size_t i = 0; i < outputs.size(); ++i) {
      auto output = kept_outputs.empty() ? outputs[i].tensor() : kept_outputs[i];
      output.copy_(elements[i].toTensor());
    }
  }
};

template <class Body>
int guarded(Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const std::exception &error) {
    last_error = error.what();
  } catch (...) {
    last_error = "unknown exception";
  }
  return 1;
}

// Of this thread only: what other programs take on a shared machine does not count.
double processor_seconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

extern "C" {

// A model step of a host that uses the bridge.
struct bridge_step {
  int (*run)(void *binding, int64_t step);
  int (*commit)(void *binding);
  void *binding;
  int64_t step;
};

const char *overhead_error() { return last_error.c_str(); }

// An array of float32 and its extents.
struct overhead_array {
  float *data;
  int64_t rank;
  int64_t shape[3];
};

// Loads a TorchScript module, and freezes it if asked to, with arrays of its inputs and outputs in
// order, which must outlive the call that is made of them. If `reused`, its tensors are made once.
int overhead_open(const char *path, int frozen, int reused, int64_t n_input,
                  const overhead_array *inputs, int64_t n_output, const overhead_array *outputs,
                  void **call) {
  return guarded([&] {
    const auto arrays = [](int64_t n, const overhead_array *given) {
      std::vector<Array> found;
      for (const auto *array = given; array != given + n; ++array)
        found.push_back({array->data, {array->shape, array->shape + array->rank}});
      return found;
    };
    auto module = torch::jit::load(path);
    module.eval();
    if (frozen) module = torch::jit::freeze(module);
    auto made = std::make_unique<BareCall>(
        BareCall{module, frozen != 0, arrays(n_input, inputs), arrays(n_output, outputs), {}, {}});
    if (reused) made->keep_tensors();
    *call = made.release();
  });
}

int overhead_call(void *call) {
  return guarded([&] { (*static_cast<BareCall *>(call))(); });
}

void overhead_close(void *call) { delete static_cast<BareCall *>(call); }

int overhead_step(void *context) {
  auto &host = *static_cast<bridge_step *>(context);
  const int status = host.run(host.binding, host.step++);
  return status ? status : host.commit(host.binding);
}

// Makes a call `repeat` times; how long all took, or less than zero if one failed.
double overhead_seconds(int (*call)(void *), void *context, int64_t repeat) {
  const double began = processor_seconds();
  for (int64_t i = 0; i < repeat; ++i)
    if (call(context)) return -1.0;
  return processor_seconds() - began;
}

}  // extern "C"
