// The TorchScript engine: the only file that includes torch/script.h.

#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/runtime/static/impl.h>
#include <torch/script.h>
#include <torch/version.h>

#include <memory>
#include <optional>
#include <sstream>

#include "torch_session.hpp"

namespace {

using namespace hybrid_torch;

struct Model {
  at::Device device;
  int n_thread;
  std::vector<Field> arguments;
  std::vector<Field> results;
  torch::jit::Module module;
  std::unique_ptr<torch::jit::StaticModule> planned;  // null if it cannot be planned
};

struct Session {
  const Model *model;
  torch::jit::Function *forward;
  Tensors tensors;
  torch::jit::Stack stack;  // kept for its memory
  std::optional<torch::jit::StaticRuntime> planned;
};

// Torch's static runtime plans the memory of a graph once for sizes that never change, as those of
// a session do, and calls the same kernels without an interpreter: the same bits in less time.
// It knows neither every graph nor other devices; the interpreter knows all.
std::unique_ptr<torch::jit::StaticModule> planned(const torch::jit::Module &module,
                                                  at::Device device) {
  if (!device.is_cpu()) return nullptr;
  try {
    const auto frozen = torch::jit::freeze_module(module);
    if (!torch::jit::canEnableStaticRuntime(frozen.get_method("forward").graph())) return nullptr;
    return std::make_unique<torch::jit::StaticModule>(frozen, /*is_frozen=*/true);
  } catch (const std::exception &) {
    return nullptr;
  }
}

void check_arguments(const torch::jit::Module &module, size_t expected) {
  const auto method = module.find_method("forward");
  if (!method)
    throw std::runtime_error("forward: expected a module with this method, got one without");
  const auto &declared = method->function().getSchema().arguments();
  if (declared.size() - 1 != expected)
    throw std::runtime_error("forward: expected " + std::to_string(expected) +
                             " arguments (inputs, state, noise), got " +
                             std::to_string(declared.size() - 1));
  for (size_t i = 1; i < declared.size(); ++i)
    if (!declared[i].type()->isSubtypeOf(*c10::TensorType::get()))
      throw std::runtime_error("forward: expected a Tensor for its argument '" +
                               declared[i].name() + "', got " + declared[i].type()->str());
}

int open_model(const void *bytes, size_t n_bytes, const hybrid_engine_field *arguments,
               int n_argument, const hybrid_engine_field *results, int n_result,
               const hybrid_engine_options *options, void **model, char *message, size_t size) {
  return guarded(message, size, [&] {
    auto loaded = std::make_unique<Model>(Model{device_called(options->device),
                                                thread_count(*options),
                                                fields_of(arguments, n_argument),
                                                fields_of(results, n_result),
                                                {},
                                                nullptr});
    const Threads threads(loaded->n_thread);
    std::istringstream stream(std::string(static_cast<const char *>(bytes), n_bytes));
    loaded->module = torch::jit::load(stream, loaded->device);
    loaded->module.eval();
    check_arguments(loaded->module, loaded->arguments.size());
    loaded->planned = planned(loaded->module, loaded->device);
    loaded->module = torch::jit::freeze(loaded->module);
    *model = loaded.release();
  });
}

int prepare_session(void *opaque, int64_t n, const int64_t *const *shapes,
                    const void *const *arguments, void **session, char *message, size_t size) {
  return guarded(message, size, [&] {
    const auto *model = static_cast<const Model *>(opaque);
    const c10::InferenceMode inference;
    auto made = std::make_unique<Session>(
        Session{model,
                &model->module.get_method("forward").function(),
                {model->device, n, model->arguments, model->results, shapes, arguments},
                {},
                std::nullopt});
    made->stack.reserve(model->arguments.size() + 1);
    if (model->planned) made->planned.emplace(*model->planned);
    *session = made.release();
  });
}

c10::IValue run_planned(Session &session) {
  static const torch::jit::StaticRuntime::KeywordArgs none;
  auto &stack = session.stack;
  stack.assign(session.tensors.arguments().begin(), session.tensors.arguments().end());
  return (*session.planned)(stack, none);
}

c10::IValue run_interpreted(Session &session) {
  auto &stack = session.stack;
  stack.clear();  // a run that failed leaves what it had
  stack.emplace_back(session.model->module._ivalue());
  for (const auto &argument : session.tensors.arguments()) stack.emplace_back(argument);
  // Not Module::forward: it looks for the method by name and takes its arguments by keyword.
  session.forward->run(stack);
  return torch::jit::pop(stack);
}

int run_session(void *opaque, void *const *results, char *message, size_t size) {
  auto &session = *static_cast<Session *>(opaque);
  return guarded(message, size, [&] {
    const auto &model = *session.model;
    const c10::InferenceMode inference;
    const Threads threads(model.n_thread);
    session.tensors.fetch();
    const auto value = session.planned ? run_planned(session) : run_interpreted(session);
    if (!value.isTuple())
      throw std::runtime_error("forward: expected a tuple of tensors, got " + value.tagKind());
    const auto &elements = value.toTupleRef().elements();
    session.tensors.expect_results(elements.size());
    for (size_t i = 0; i < elements.size(); ++i) {
      if (!elements[i].isTensor())
        throw std::runtime_error("forward: expected a tuple of tensors, got " +
                                 elements[i].tagKind() + " in it");
      session.tensors.check(i, elements[i].toTensor());
    }
    // Only when all have been checked: a run that fails writes nothing.
    for (size_t i = 0; i < elements.size(); ++i)
      session.tensors.deliver(i, elements[i].toTensor(), results[i]);
    session.tensors.finish(results);
  });
}

void release_session(void *session) { delete static_cast<Session *>(session); }

void close_model(void *model) { delete static_cast<Model *>(model); }

const hybrid_engine engine = {HYBRID_ENGINE_ABI_VERSION,
                              "torchscript",
                              TORCH_VERSION,
                              open_model,
                              prepare_session,
                              run_session,
                              release_session,
                              close_model,
                              device_count};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v2(void) {
  return &engine;
}
