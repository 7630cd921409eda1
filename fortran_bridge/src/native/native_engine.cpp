// The native engine: runs the program of an archive, without torch.

#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "bf16_weights.hpp"
#include "instruction_set.hpp"
#include "session.hpp"

namespace {

using namespace hybrid_native;

// What the archive holds is not for this engine; nothing is wrong with the engine.
class Unservable : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Runs `body`; an exception becomes a message and a status.
template <class Body>
int guarded(char *message, size_t size, Body &&body) noexcept {
  try {
    body();
    return 0;
  } catch (const Unservable &error) {
    std::snprintf(message, size, "%s", error.what());
    return HYBRID_ENGINE_UNSERVABLE;
  } catch (const std::exception &error) {
    std::snprintf(message, size, "%s", error.what());
  } catch (...) {
    std::snprintf(message, size, "unknown exception");
  }
  return 1;
}

using Fields = std::span<const hybrid_engine_field>;

Fields fields(const hybrid_engine_field *first, int n) { return {first, static_cast<size_t>(n)}; }

std::vector<FieldForm> forms_of(Fields fields) {
  std::vector<FieldForm> forms;
  for (const auto &field : fields) {
    const std::string name = field.name;
    int64_t size = 1;
    for (int dim = 0; dim < field.rank; ++dim) {
      if (field.shape[dim] < 0)
        throw std::runtime_error(name + ": expected a fixed shape, got an open size; load it " +
                                 "with engine 'torchscript'");
      size *= field.shape[dim];
    }
    const bool is_double = field.kind == static_cast<int>(sizeof(double));
    forms.push_back({size, is_double ? Type::float64 : Type::float32});
  }
  return forms;
}

Entries entries_of(const hybrid_engine_archive &archive) {
  return [&archive](const std::string &name) -> std::optional<std::string_view> {
    const void *bytes = nullptr;
    size_t n = 0;
    if (archive.entry(archive.context, name.c_str(), &bytes, &n)) return std::nullopt;
    return std::string_view(static_cast<const char *>(bytes), n);
  };
}

std::pair<Program, Forms> read(const hybrid_engine_archive &archive, Fields arguments,
                               Fields results) {
  try {
    Forms forms{forms_of(arguments), forms_of(results)};
    auto program = read_program(entries_of(archive), forms);
    return {std::move(program), std::move(forms)};
  } catch (const std::runtime_error &error) {
    throw Unservable(error.what());
  }
}

// In bf16 as far as processor and program allow it, else in float32.
Model *reduced_model(const Program &program, Forms forms, int n_thread) {
  std::string why_not;
  const auto *kernels = bf16_kernels(why_not);
  auto compiled = compile(program, kernels != nullptr);
  const auto [all, reduced] = compiled.matrices;
  if (kernels && reduced == 0)
    why_not = "it has no matrix of " + std::to_string(least_reduced) + " weights or more";
  const auto text = why_not.empty() ? "bf16 in " + std::to_string(reduced) + " of " +
                                          std::to_string(all) + " matrices"
                                    : "float32, not bf16: " + why_not;
  return new Model{why_not.empty() ? kernels : &chosen_kernels(), n_thread, std::move(forms),
                   std::move(compiled), text};
}

int open_model(const hybrid_engine_archive *archive, const hybrid_engine_field *arguments,
               int n_argument, const hybrid_engine_field *results, int n_result,
               const hybrid_engine_options *options, void **model, char *message, size_t size) {
  return guarded(message, size, [&] {
    if (std::strcmp(options->device, "cpu") != 0)
      throw std::runtime_error(std::string("device: expected 'cpu', the one device of this ") +
                               "engine, got '" + options->device + "'");
    auto [program, forms] =
        read(*archive, fields(arguments, n_argument), fields(results, n_result));
    *model = std::strcmp(options->precision, "bf16") == 0
                 ? reduced_model(program, std::move(forms), options->n_thread)
                 : new Model{&chosen_kernels(), options->n_thread, std::move(forms),
                             compile(program), ""};
  });
}

int prepare_session(void *model, int64_t n, const int64_t *const * /*shapes*/,
                    const void *const *arguments, void **session, char *message, size_t size) {
  return guarded(message, size,
                 [&] { *session = new Session(*static_cast<const Model *>(model), n, arguments); });
}

int run_session(void *session, void *const *results, char * /*message*/, size_t /*size*/) {
  static_cast<Session *>(session)->run(results);
  return 0;
}

void release_session(void *session) { delete static_cast<Session *>(session); }

void close_model(void *model) { delete static_cast<Model *>(model); }

const char *precision_of(const void *model) {
  return static_cast<const Model *>(model)->precision.c_str();
}

int device_count(const char *kind) { return std::strcmp(kind, "cpu") == 0 ? 1 : 0; }

// Names the instruction set in use.
const char *version() {
  static const Kernels *const kernels = kernels_or_null();
  static const std::string text =
      std::string(HYBRID_VERSION) + " for " + (kernels ? kernels->name : "no instruction set");
  return text.c_str();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const hybrid_engine *hybrid_engine_v4(void) {
  static const hybrid_engine engine = {
      HYBRID_ENGINE_ABI_VERSION, "native",    version(),
      /*is_column_exact=*/1,     open_model,  prepare_session, run_session,
      release_session,           close_model, device_count,    precision_of};
  return &engine;
}
