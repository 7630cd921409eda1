#include "closure.hpp"

#include "describe.hpp"
#include "error.hpp"
#include "log.hpp"

namespace hybrid {

namespace {

constexpr const char *native_program = "extra/native.json";

std::string chosen_engine(const std::string &asked, const Spec &spec, const Archive &archive) {
  const bool has_program = archive.entries.count(native_program) != 0;
  if (asked == "auto" || asked == spec.engine) return spec.engine;
  if (asked == "native" && has_program) return asked;
  const auto &why = spec.native_reason;
  if (asked == "native")
    throw Error(HYBRID_ERROR_ENGINE,
                spec.name + ": expected a native program in the archive for " +
                    "engine 'native', got none" + (why.empty() ? "" : " (" + why + ")") +
                    "; load it with engine '" + spec.engine + "', or export the closure again");
  throw Error(HYBRID_ERROR_ENGINE, spec.name + ": expected engine 'auto'" +
                                       (has_program ? ", 'native'" : "") + " or '" + spec.engine +
                                       "' for this archive, got '" + asked + "'");
}

}  // namespace

Closure::Closure(Archive archive, const std::string &engine, const EngineOptions &options)
    : manifest_(std::move(archive.manifest)),
      spec_(parse_manifest(manifest_)),
      model_(chosen_engine(engine, spec_, archive), archive, spec_, options),
      self_test_(*this),
      description_(describe(spec_, model_, self_test_.alike())) {
  log(HYBRID_LOG_INFO, description_.substr(0, description_.find('\n')));
}

Session Closure::prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const {
  return model_.prepare(n, shapes, arguments);
}

}  // namespace hybrid
