// The AOTInductor engine: archives that hold native code, compiled at export.

#include <c10/core/DeviceGuard.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/inductor/aoti_runner/model_container_runner.h>
#include <torch/version.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "aoti_package.hpp"
#include "torch_session.hpp"

namespace {

using namespace hybrid_torch;
using torch::inductor::AOTIModelContainerRunner;

struct Model {
  at::Device device;
  int n_thread;
  std::vector<Field> arguments;
  std::vector<Field> results;
  std::unique_ptr<AOTIModelContainerRunner> runner;
};

struct Session {
  const Model *model;
  Tensors tensors;
};

// Tensors in a tree of tuples, lists and dictionaries, as the package records them.
int64_t leaves(const nlohmann::json &tree) {
  if (tree.at("type").is_null()) return 1;
  int64_t count = 0;
  for (const auto &child : tree.at("children_spec")) count += leaves(child);
  return count;
}

int64_t tensors_in(const std::string &call_spec) {
  const auto json = nlohmann::json::parse(call_spec);
  return leaves(json.at(1));
}

// The package runs whatever number of tensors it is given, far beyond the end of the list.
void check_counts(AOTIModelContainerRunner &runner, size_t n_argument, size_t n_result) {
  const auto specs = runner.get_call_spec();
  const auto inputs = tensors_in(specs.at(0));
  const auto outputs = tensors_in(specs.at(1));
  if (inputs != static_cast<int64_t>(n_argument))
    throw std::runtime_error("forward: expected " + std::to_string(n_argument) +
                             " arguments (inputs, state, noise), got " + std::to_string(inputs) +
                             " in the compiled package; export the closure again");
  if (outputs != static_cast<int64_t>(n_result))
    throw std::runtime_error("forward: expected " + std::to_string(n_result) +
                             " results (outputs, new state), got " + std::to_string(outputs) +
                             " in the compiled package; export the closure again");
}

void check_device(const Package &package, const at::Device &device) {
  const auto wanted = c10::DeviceTypeName(device.type(), /*lower_case=*/true);
  if (package.device() != wanted)
    throw std::runtime_error("device: expected the kind that the archive was compiled for, '" +
                             package.device() + "', got '" + device.str() +
                             "'; load it there, or export the closure for " + wanted);
}

std::unique_ptr<AOTIModelContainerRunner> runner_of(const Package &package,
                                                    const at::Device &device) {
  const auto &makers = torch::inductor::getAOTIModelRunnerRegistry();
  const auto maker = makers.find(package.device());
  if (maker == makers.end())
    throw std::runtime_error("device: expected a torch that runs packages for '" +
                             package.device() + "', got one that does not");
  // As many evaluations at once as there are processors; more wait for one of them to end.
  const size_t n_runner = std::max(1U, std::thread::hardware_concurrency());
  return maker->second(package.shared_object(), n_runner, device.str(), package.folder(),
                       /*run_single_threaded=*/false);
}

int open_model(const hybrid_engine_archive *archive, const hybrid_engine_field *arguments,
               int n_argument, const hybrid_engine_field *results, int n_result,
               const hybrid_engine_options *options, void **model, char *message, size_t size) {
  return guarded(message, size, [&] {
    auto loaded = std::make_unique<Model>(
        Model{device_called(options->device), thread_count(*options),
              fields_of(arguments, n_argument), fields_of(results, n_result), nullptr});
    const Threads threads(loaded->n_thread);
    const Package package(archive->bytes, archive->n_bytes);
    check_device(package, loaded->device);
    package.check_processor();
    loaded->runner = runner_of(package, loaded->device);
    check_counts(*loaded->runner, loaded->arguments.size(), loaded->results.size());
    *model = loaded.release();
  });
}

int prepare_session(void *opaque, int64_t n, const int64_t *const *shapes,
                    const void *const *arguments, void **session, char *message, size_t size) {
  return guarded(message, size, [&] {
    const auto *model = static_cast<const Model *>(opaque);
    const c10::InferenceMode inference;
    auto made = std::make_unique<Session>(
        Session{model, {model->device, n, model->arguments, model->results, shapes, arguments}});
    *session = made.release();
  });
}

int run_session(void *opaque, void *const *results, char *message, size_t size) {
  auto &session = *static_cast<Session *>(opaque);
  return guarded(message, size, [&] {
    const auto &model = *session.model;
    const c10::InferenceMode inference;
    const c10::OptionalDeviceGuard device_guard(model.device);
    const Threads threads(model.n_thread);
    session.tensors.fetch();
    // The package itself checks neither type nor shape nor strides of what it is given: the
    // session's tensors have those of the specification, and are contiguous, by construction.
    const auto found = model.runner->run(session.tensors.arguments());
    session.tensors.expect_results(found.size());
    for (size_t i = 0; i < found.size(); ++i) session.tensors.check(i, found[i]);
    // Only when all have been checked: a run that fails writes nothing.
    for (size_t i = 0; i < found.size(); ++i) session.tensors.deliver(i, found[i], results[i]);
    session.tensors.finish(results);
  });
}

void release_session(void *session) { delete static_cast<Session *>(session); }

void close_model(void *model) { delete static_cast<Model *>(model); }

const hybrid_engine engine = {
    HYBRID_ENGINE_ABI_VERSION, "aoti",      TORCH_VERSION,   /*is_column_exact=*/0, open_model,
    prepare_session,           run_session, release_session, close_model,           device_count,
    /*precision=*/nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v4(void) {
  return &engine;
}
