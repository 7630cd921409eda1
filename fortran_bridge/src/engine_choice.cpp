#include "engine_choice.hpp"

#include "error.hpp"
#include "log.hpp"
#include "precision.hpp"

namespace hybrid {

namespace {

constexpr const char *native = "native";
constexpr const char *native_program = "extra/native.json";

bool has_program(const Archive &archive) { return archive.entries.count(native_program) != 0; }

std::string why_no_program(const Spec &spec) {
  return spec.native_reason.empty() ? "the archive holds no program for it" : spec.native_reason;
}

// What stands against the native engine before anything is opened; empty: nothing.
std::string why_not_native(const Archive &archive, const Spec &spec, const EngineOptions &options) {
  if (!has_program(archive)) return why_no_program(spec);
  if (options.device != "cpu") return "it computes on 'cpu', not on '" + options.device + "'";
  if (!is_installed(native)) return "this library was built without it";
  return "";
}

ChosenModel open_auto(const Archive &archive, const Spec &spec, const EngineOptions &options) {
  std::string why = why_not_native(archive, spec, options);
  if (!why.empty()) check_engine_of_precision(options.precision, spec, spec.engine, why);
  if (why.empty() && spec.engine != native) {
    try {
      return {std::make_unique<const Model>(native, archive, spec, options)};
    } catch (const Unservable &refusal) {
      // As of an archive that a later version wrote: TorchScript runs it as before.
      why = refusal.reason();
      check_engine_of_precision(options.precision, spec, spec.engine, why);
      log(HYBRID_LOG_WARNING,
          std::string(refusal.what()) + "; engine '" + spec.engine + "' runs it instead");
    }
  }
  try {
    return {std::make_unique<const Model>(spec.engine, archive, spec, options), why};
  } catch (const Error &error) {
    // A library built for the native engine alone: what it lacks follows from the archive.
    if (is_installed(spec.engine)) throw;
    throw Error(error.status(),
                spec.name + ": not for the native engine (" + why + "), and " + error.what());
  }
}

void check_wish(const std::string &asked, const Archive &archive, const Spec &spec) {
  if (asked == spec.engine || (asked == native && has_program(archive))) return;
  if (asked == native)
    throw Error(HYBRID_ERROR_ENGINE,
                spec.name + ": expected a native program in the archive for engine 'native', " +
                    "got none (" + why_no_program(spec) + "); load it with engine '" + spec.engine +
                    "', or export the closure again");
  throw Error(HYBRID_ERROR_ENGINE, spec.name + ": expected engine 'auto'" +
                                       (has_program(archive) ? ", 'native'" : "") + " or '" +
                                       spec.engine + "' for this archive, got '" + asked + "'");
}

}  // namespace

ChosenModel open_chosen(const std::string &asked, const Archive &archive, const Spec &spec,
                        const EngineOptions &options) {
  check_precision(options.precision, spec);
  if (asked == "auto") return open_auto(archive, spec, options);
  check_wish(asked, archive, spec);
  check_engine_of_precision(options.precision, spec, asked, "");
  return {std::make_unique<const Model>(asked, archive, spec, options)};
}

}  // namespace hybrid
