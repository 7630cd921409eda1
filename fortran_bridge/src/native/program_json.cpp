#include "program_json.hpp"

#include <stdexcept>

#include "../json_text.hpp"

namespace hybrid_native {

void refuse(const std::string &message) {
  throw std::runtime_error("native.json: " + message + "; export the closure again");
}

std::string shown(const Json &json) { return hybrid::printable(json.dump()); }

int64_t whole(const Json &json, const std::string &what, int64_t least, int64_t most) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : json.is_number_integer() && json.get<int64_t>() <= most;
  if (!fits || json.get<int64_t>() < least)
    refuse(what + ": expected a whole number from " + std::to_string(least) + " to " +
           std::to_string(most) + ", got " + shown(json));
  return json.get<int64_t>();
}

double number(const Json &json, const std::string &what) {
  if (!json.is_number()) refuse(what + ": expected a number, got " + shown(json));
  return json.get<double>();
}

const char *name_of(Type type) { return type == Type::float64 ? "float64" : "float32"; }

Type read_type(const Json &json, const std::string &what, int64_t major) {
  if (major < float64_major) {
    if (json.contains("dtype")) refuse(what + ": expected no key 'dtype' before format 3");
    return Type::float32;
  }
  const auto &found = json.at("dtype");
  for (const auto type : {Type::float32, Type::float64})
    if (found == name_of(type)) return type;
  refuse(what + ": expected dtype \"float32\" or \"float64\", got " + shown(found));
}

const Json &list(const Json &json, const std::string &what, int64_t most) {
  if (!json.is_array() || static_cast<int64_t>(json.size()) > most)
    refuse(what + ": expected a list of at most " + std::to_string(most) + ", got " +
           json.type_name() + " of " + std::to_string(json.size()));
  return json;
}

}  // namespace hybrid_native
