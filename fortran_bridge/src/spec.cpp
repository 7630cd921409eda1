#include "spec.hpp"

#include <nlohmann/json.hpp>
#include <set>

#include "error.hpp"

namespace hybrid {

namespace {

using Json = nlohmann::json;
constexpr int supported_major = 1;

[[noreturn]] void refuse(const std::string &message) {
  throw Error(HYBRID_ERROR_ARCHIVE, "hybrid.json: " + message);
}

std::vector<double> bound(const Json &json, const char *key) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  if (found->is_number()) return {found->get<double>()};
  return found->get<std::vector<double>>();
}

Field parse_field(const Json &json) {
  Field field;
  field.name = json.at("name").get<std::string>();
  field.units = json.at("units").get<std::string>();
  field.dims = json.value("dims", std::vector<std::string>{});
  for (const auto &size : json.value("shape", Json::array()))
    field.shape.push_back(size.is_null() ? any_size : size.get<int64_t>());
  const auto dtype = json.value("dtype", std::string("float32"));
  if (dtype != "float32" && dtype != "float64")
    refuse(field.name + ": expected dtype float32 or float64, got " + dtype);
  field.kind = dtype == "float64" ? HYBRID_FLOAT64 : HYBRID_FLOAT32;
  if (field.dims.size() != field.shape.size())
    refuse(field.name + ": expected one size per dimension, got " +
           std::to_string(field.dims.size()) + " dims and " + std::to_string(field.shape.size()) +
           " sizes");
  int64_t total = 1;
  for (const auto size : field.shape) {
    if (size == any_size) continue;
    if (size < 1 || size > largest_field / total)
      refuse(field.name + ": expected positive sizes of at most " + std::to_string(largest_field) +
             " elements a column");
    total *= size;
  }
  field.valid_min = bound(json, "valid_min");
  field.valid_max = bound(json, "valid_max");
  for (const auto *values : {&field.valid_min, &field.valid_max})
    if (values->size() > 1 && static_cast<int64_t>(values->size()) != total)
      refuse(field.name + ": expected one bound or one per element");
  return field;
}

std::vector<Field> parse_fields(const Json &spec, const char *group) {
  std::vector<Field> fields;
  for (const auto &entry : spec.value(group, Json::array())) fields.push_back(parse_field(entry));
  return fields;
}

std::vector<Field> joined(std::initializer_list<const std::vector<Field> *> groups) {
  std::vector<Field> all;
  for (const auto *group : groups) all.insert(all.end(), group->begin(), group->end());
  return all;
}

}  // namespace

bool Field::has_fixed_shape() const {
  for (const auto extent : shape)
    if (extent == any_size) return false;
  return true;
}

int64_t Field::size() const {
  int64_t total = 1;
  for (const auto extent : shape) total *= extent == any_size ? 1 : extent;
  return total;
}

std::vector<Field> Spec::arguments() const { return joined({&inputs, &state, &noise}); }

std::vector<Field> Spec::results() const { return joined({&outputs, &state}); }

Spec parse_manifest(const std::string &text) {
  try {
    const auto json = Json::parse(text);
    const auto &format = json.at("format");
    const int major = format.at("major").get<int>();
    if (major != supported_major)
      refuse("expected archive format " + std::to_string(supported_major) + ".x, got " +
             std::to_string(major) + "." + std::to_string(format.value("minor", 0)) +
             "; install a hybrid-closures that reads it, or export the closure again");
    const auto &body = json.at("spec");
    Spec spec;
    spec.engine = json.at("engine").get<std::string>();
    spec.name = body.at("name").get<std::string>();
    spec.version = body.at("version").get<std::string>();
    spec.locality = body.value("locality", std::string("column"));
    spec.inputs = parse_fields(body, "inputs");
    spec.outputs = parse_fields(body, "outputs");
    spec.state = parse_fields(body, "state");
    spec.noise = parse_fields(body, "noise");
    if (spec.outputs.empty()) refuse("expected at least one output");
    if (spec.locality != "column" && spec.locality != "grid")
      refuse("expected locality 'column' or 'grid', got '" + spec.locality + "'");
    std::set<std::string> names;
    for (const auto &fields : {spec.arguments(), spec.outputs})
      for (const auto &field : fields)
        if (!names.insert(field.name).second)
          refuse(field.name + ": expected names of fields to differ");
    return spec;
  } catch (const nlohmann::json::exception &error) {
    refuse(std::string("expected a closure manifest, got text that does not read as one (") +
           error.what() + "); export the closure again");
  }
}

}  // namespace hybrid
