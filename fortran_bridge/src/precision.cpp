#include "precision.hpp"

#include "error.hpp"
#include "json_text.hpp"

namespace hybrid {

namespace {

constexpr const char *reduced = "bf16";
constexpr const char *remedy =
    "; show that it does with 'hybrid precision', which keeps the evidence in the archive, or load "
    "it with precision 'float32'";

}  // namespace

void check_precision(const std::string &asked, const Spec &spec) {
  if (asked == full_precision) return;
  if (asked != reduced)
    throw Error(
        HYBRID_ERROR_ARGUMENT,
        spec.name + ": precision: expected 'float32' or 'bf16', got '" + printable(asked) + "'");
  const auto &[verdict, reason] = spec.bf16;
  if (verdict == "passed" || verdict == "on trial") return;
  throw Error(HYBRID_ERROR_ENGINE,
              spec.name + ": precision 'bf16': expected an archive that has shown to keep the " +
                  "host's climate in an online test, got " +
                  (verdict.empty() ? "one without such a test" : "one that failed it: " + reason) +
                  remedy);
}

void check_engine_of_precision(const std::string &asked, const Spec &spec,
                               const std::string &engine, const std::string &why_not_native) {
  if (asked == full_precision || engine == "native") return;
  throw Error(HYBRID_ERROR_ENGINE,
              spec.name + ": precision 'bf16': expected engine 'native', got '" + engine + "'" +
                  (why_not_native.empty() ? "" : " (" + why_not_native + ")") +
                  "; load it with precision 'float32'");
}

}  // namespace hybrid
