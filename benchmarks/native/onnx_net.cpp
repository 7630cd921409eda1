// A network run by ONNX Runtime through its C interface.
//
// The Python package brings the library but no headers. Its interface is a table of functions to
// which only what is new is appended, so the places of old ones are known.

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

namespace {

thread_local std::string last_error;

enum Place {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kCreateTensorWithDataAsOrtValue = 49,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseSessionOptions = 100,
};

constexpr uint32_t kVersion = 1;  // of the interface: all of the above are in it
constexpr int kWarning = 2, kArenaAllocator = 1, kDefaultMemory = 0, kFloat = 1;

struct OrtApiBase {
  void *const *(*api)(uint32_t version);
  const char *(*version)();
};

struct OnnxNet {
  void *const *api;
  void *env = nullptr, *options = nullptr, *session = nullptr, *memory = nullptr;
  void *input = nullptr, *output = nullptr;

  template <class... Arguments>
  void call(Place place, Arguments... arguments) const {
    void *status = reinterpret_cast<void *(*)(Arguments...)>(api[place])(arguments...);
    if (!status) return;
    const std::string message =
        reinterpret_cast<const char *(*)(void *)>(api[kGetErrorMessage])(status);
    release(kReleaseStatus, status);
    throw std::runtime_error(message);
  }

  void release(Place place, void *object) const {
    if (object) reinterpret_cast<void (*)(void *)>(api[place])(object);
  }

  ~OnnxNet() {
    release(kReleaseValue, output);
    release(kReleaseValue, input);
    release(kReleaseMemoryInfo, memory);
    release(kReleaseSession, session);
    release(kReleaseSessionOptions, options);
    release(kReleaseEnv, env);
  }
};

const char *const input_names[] = {"features"};
const char *const output_names[] = {"results"};

}  // namespace

extern "C" {

const char *onnx_error() { return last_error.c_str(); }

// Loads a model with one input "features" (n_column, n_input) and one output "results". Null on
// failure. The arrays must outlive the call that is made of them.
void *onnx_open(const OrtApiBase *(*base)(), const char *path, int64_t n_column, int64_t n_input,
                int64_t n_output, float *features, float *results) {
  try {
    auto net = std::make_unique<OnnxNet>(OnnxNet{base()->api(kVersion)});
    const auto bytes = [&](int64_t n) { return static_cast<size_t>(n_column * n) * sizeof(float); };
    const int64_t input_shape[] = {n_column, n_input}, output_shape[] = {n_column, n_output};
    net->call(kCreateEnv, kWarning, "benchmarks", &net->env);
    net->call(kCreateSessionOptions, &net->options);
    net->call(kSetIntraOpNumThreads, net->options, 1);
    net->call(kCreateSession, net->env, path, net->options, &net->session);
    net->call(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, &net->memory);
    net->call(kCreateTensorWithDataAsOrtValue, net->memory, static_cast<void *>(features),
              bytes(n_input), &input_shape[0], size_t{2}, kFloat, &net->input);
    net->call(kCreateTensorWithDataAsOrtValue, net->memory, static_cast<void *>(results),
              bytes(n_output), &output_shape[0], size_t{2}, kFloat, &net->output);
    return net.release();
  } catch (const std::exception &error) {
    last_error = error.what();
    return nullptr;
  }
}

int onnx_call(void *context) {
  auto &net = *static_cast<OnnxNet *>(context);
  try {
    const void *const inputs[] = {net.input};
    net.call(kRun, net.session, static_cast<void *>(nullptr), &input_names[0], &inputs[0],
             size_t{1}, &output_names[0], size_t{1}, &net.output);
    return 0;
  } catch (const std::exception &error) {
    last_error = error.what();
    return 1;
  }
}

void onnx_close(void *context) { delete static_cast<OnnxNet *>(context); }

}  // extern "C"
