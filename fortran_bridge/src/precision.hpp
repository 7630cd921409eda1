// Who may compute in a precision below float32.
#pragma once

#include <string>

#include "spec.hpp"

namespace hybrid {

constexpr const char *full_precision = "float32";

// Throws unless the precision is known, and the online test that a reduced one needs has passed.
void check_precision(const std::string &asked, const Spec &spec);

// Throws unless this engine knows the precision; `why_not_native` may be empty.
void check_engine_of_precision(const std::string &asked, const Spec &spec,
                               const std::string &engine, const std::string &why_not_native);

}  // namespace hybrid
