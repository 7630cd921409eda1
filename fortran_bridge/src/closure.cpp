#include "closure.hpp"

#include <array>

#include "error.hpp"

namespace hybrid {

namespace {

std::vector<Field> all_fields(const Spec &spec) {
  auto fields = spec.arguments();
  for (const auto &field : spec.results()) fields.push_back(field);
  return fields;
}

std::string chosen_engine(const std::string &asked, const Spec &spec) {
  if (asked == "auto" || asked == spec.engine) return spec.engine;
  throw Error(HYBRID_ERROR_ENGINE, spec.name + ": expected engine 'auto' or '" + spec.engine +
                                       "' for this archive, got '" + asked + "'");
}

}  // namespace

Closure::Closure(const std::string &path, const std::string &engine)
    : Closure(read_archive(path), engine) {}

Closure::Closure(Archive archive, const std::string &engine)
    : manifest_(archive.manifest),
      spec_(parse_manifest(manifest_)),
      model_(chosen_engine(engine, spec_), archive, spec_),
      shapes_(all_fields(spec_)) {
  blocks_ = blocks_that_round_alike(*this);
}

void Closure::run(const Buffers &arguments, const Buffers &results, int64_t first,
                  int64_t n) const {
  // More fields than this is no closure; a fixed array keeps the call free of allocation.
  constexpr size_t most = 256;
  std::array<const void *, most> inputs;
  std::array<void *, most> outputs;
  if (arguments.count() > most || results.count() > most)
    throw Error(HYBRID_ERROR_ARCHIVE, spec_.name + ": more than 256 fields");
  for (size_t i = 0; i < arguments.count(); ++i) inputs[i] = arguments.row(i, first);
  for (size_t i = 0; i < results.count(); ++i) outputs[i] = results.row(i, first);
  const hybrid_engine_call call{n, shapes_.data(), inputs.data(), outputs.data()};
  model_.run(call);
}

}  // namespace hybrid
