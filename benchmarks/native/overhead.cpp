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

struct BareCall {
  torch::jit::Module module;
  std::vector<int64_t> input_shape;
  std::vector<int64_t> output_shape;
  float *input;
  float *output;

  void operator()() {
    const torch::AutoGradMode no_gradient(false);
    const auto from = torch::from_blob(input, input_shape, torch::kFloat32);
    auto to = torch::from_blob(output, output_shape, torch::kFloat32);
    const auto result = module.forward({from});
    to.copy_(result.toTupleRef().elements()[0].toTensor());
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

// Loads a TorchScript module of one input [n_column][n_input] and one output [n_column][n_output],
// both float32; the arrays must outlive the call that is made of them.
int overhead_open(const char *path, int64_t n_column, int64_t n_input, int64_t n_output,
                  float *input, float *output, void **call) {
  return guarded([&] {
    auto made = std::make_unique<BareCall>(BareCall{
        torch::jit::load(path), {n_column, n_input}, {n_column, n_output}, input, output});
    made->module.eval();
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
