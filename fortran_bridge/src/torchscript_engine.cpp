// The TorchScript engine: the only file that includes torch/script.h.

#include <torch/script.h>
#include <torch/version.h>

#include <memory>
#include <sstream>

#include "torch_graph.hpp"
#include "torch_session.hpp"

namespace {

using namespace hybrid_torch;

struct Model {
  at::Device device;
  int n_thread;
  std::vector<Field> arguments;
  std::vector<Field> results;
  torch::jit::Module module;
};

struct Session {
  const Model *model;
  torch::jit::Function *forward;
  Tensors tensors;
  torch::jit::Stack stack;                  // kept for its memory
  std::unique_ptr<StraightGraph> straight;  // null if the interpreter has to run
};

// Null unless the graph is a straight one with the interpreter's bits and the closure's results.
std::unique_ptr<StraightGraph> straight_graph(const Model &model, const Tensors &tensors) {
  if (!model.device.is_cpu()) return nullptr;
  try {
    const auto &arguments = tensors.arguments();
    auto graph = StraightGraph::of(*model.module.get_method("forward").graph(), arguments);
    if (!graph || !StraightGraph::agrees(model.module, arguments)) return nullptr;
    const auto &results = graph->results();
    tensors.expect_results(results.size());
    for (size_t i = 0; i < results.size(); ++i) tensors.check(i, results[i]);
    return graph;
  } catch (const std::exception &) {
    return nullptr;  // the interpreter has the better message
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

int open_model(const hybrid_engine_archive *archive, const hybrid_engine_field *arguments,
               int n_argument, const hybrid_engine_field *results, int n_result,
               const hybrid_engine_options *options, void **model, char *message, size_t size) {
  return guarded(message, size, [&] {
    auto loaded = std::make_unique<Model>(Model{device_called(options->device),
                                                thread_count(*options),
                                                fields_of(arguments, n_argument),
                                                fields_of(results, n_result),
                                                {}});
    const Threads threads(loaded->n_thread);
    std::istringstream stream(
        std::string(static_cast<const char *>(archive->bytes), archive->n_bytes));
    loaded->module = torch::jit::load(stream, loaded->device);
    loaded->module.eval();
    check_arguments(loaded->module, loaded->arguments.size());
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
                nullptr});
    made->stack.reserve(model->arguments.size() + 1);
    const Threads threads(model->n_thread);
    made->straight = straight_graph(*model, made->tensors);
    *session = made.release();
  });
}

void run_straight(Session &session, void *const *results) {
  session.straight->run();
  const auto &found = session.straight->results();
  for (size_t i = 0; i < found.size(); ++i) session.tensors.deliver(i, found[i], results[i]);
}

void run_interpreted(Session &session, void *const *results) {
  auto &stack = session.stack;
  stack.clear();  // a run that failed leaves what it had
  stack.emplace_back(session.model->module._ivalue());
  session.tensors.fetch();
  for (const auto &argument : session.tensors.arguments()) stack.emplace_back(argument);
  // Not Module::forward: it looks for the method by name and takes its arguments by keyword.
  session.forward->run(stack);
  const auto value = torch::jit::pop(stack);
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
}

int run_session(void *opaque, void *const *results, char *message, size_t size) {
  auto &session = *static_cast<Session *>(opaque);
  return guarded(message, size, [&] {
    const c10::InferenceMode inference;
    const Threads threads(session.model->n_thread);
    if (session.straight)
      run_straight(session, results);
    else
      run_interpreted(session, results);
  });
}

void release_session(void *session) { delete static_cast<Session *>(session); }

void close_model(void *model) { delete static_cast<Model *>(model); }

const hybrid_engine engine = {
    HYBRID_ENGINE_ABI_VERSION, "torchscript", TORCH_VERSION,
    /*is_column_exact=*/0,     open_model,    prepare_session, run_session,
    release_session,           close_model,   device_count,    /*precision=*/nullptr};

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v4(void) {
  return &engine;
}
