#include "spec.hpp"

#include <algorithm>
#include <set>

#include "error.hpp"
#include "grid.hpp"
#include "json_text.hpp"

namespace hybrid {

namespace {

using Json = nlohmann::json;
constexpr int supported_major = 1;

[[noreturn]] void refuse(const std::string &message) {
  throw Error(HYBRID_ERROR_ARCHIVE, "hybrid.json: " + message);
}

// Numbers are taken as they are: never rounded, wrapped or read from true and false.
int64_t whole(const Json &json, const std::string &what, int64_t least, int64_t most) {
  const bool fits = json.is_number_unsigned()
                        ? json.get<uint64_t>() <= static_cast<uint64_t>(most)
                        : json.is_number_integer() && json.get<int64_t>() <= most;
  if (!fits || json.get<int64_t>() < least)
    refuse(what + ": expected a whole number from " + std::to_string(least) + " to " +
           std::to_string(most) + ", got " + printable(json.dump()));
  return json.get<int64_t>();
}

std::string text(const Json &json, const std::string &what) {
  const auto value = json.get<std::string>();
  const auto control = [](unsigned char letter) { return letter < 32 || letter == 127; };
  if (value.size() > longest_text || std::any_of(value.begin(), value.end(), control))
    refuse(what + ": expected at most " + std::to_string(longest_text) +
           " bytes of text without control characters, got '" + printable(value) + "'");
  return value;
}

std::string name(const Json &json, const std::string &what) {
  const auto value = json.get<std::string>();
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto later = [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '_'; };
  if (value.empty() || value.size() > 63 || !letter(value[0]) ||
      !std::all_of(value.begin(), value.end(), later))
    refuse(what + ": expected lower-case letters, digits and underscores, starting with a " +
           "letter, at most 63; got '" + printable(value) + "'");
  return value;
}

// The list under `key`, empty where there is none.
const Json &list(const Json &json, const char *key, const std::string &what, size_t most) {
  static const Json none = Json::array();
  const auto found = json.find(key);
  if (found == json.end()) return none;
  if (!found->is_array() || found->size() > most)
    refuse(what + ": expected " + key + " to be a list of at most " + std::to_string(most) +
           ", got " + found->type_name() + " of " + std::to_string(found->size()));
  return *found;
}

std::vector<double> bound(const Json &json, const char *key, const Field &field) {
  const auto found = json.find(key);
  if (found == json.end() || found->is_null()) return {};
  if (found->is_number()) return {found->get<double>()};
  const auto values = found->get<std::vector<double>>();
  if (!field.has_fixed_shape() || static_cast<int64_t>(values.size()) != field.size())
    refuse(field.name + ": expected " + key + " to be one number or one per element, got " +
           std::to_string(values.size()));
  return values;
}

void check_order(const Field &field) {
  const auto &low = field.valid_min, &high = field.valid_max;
  if (low.empty() || high.empty()) return;
  for (size_t i = 0; i < std::max(low.size(), high.size()); ++i)
    if (low[low.size() == 1 ? 0 : i] > high[high.size() == 1 ? 0 : i])
      refuse(field.name + ": expected valid_min <= valid_max everywhere");
}

void parse_dims(const Json &json, Field &field) {
  std::set<std::string> seen{"column", "member"};
  for (const auto &dim : list(json, "dims", field.name, most_dims)) {
    field.dims.push_back(name(dim, field.name + ": dimension"));
    if (!seen.insert(field.dims.back()).second)
      refuse(field.name + ": expected different names of dimensions, none of them column or " +
             "member; got " + field.dims.back() + " again");
  }
  int64_t total = 1;
  for (const auto &size : list(json, "shape", field.name, most_dims)) {
    field.shape.push_back(size.is_null() ? any_size
                                         : whole(size, field.name + ": size", 1, largest_member));
    if (field.shape.back() == any_size) continue;
    if (field.shape.back() > largest_member / total)
      refuse(field.name + ": expected at most " + std::to_string(largest_member) + " elements");
    total *= field.shape.back();
  }
  if (field.dims.size() != field.shape.size())
    refuse(field.name + ": expected one size per dimension, got " +
           std::to_string(field.dims.size()) + " dims and " + std::to_string(field.shape.size()) +
           " sizes");
}

Field parse_field(const Json &json) {
  Field field;
  field.name = name(json.at("name"), "field name");
  field.units = text(json.at("units"), field.name + ": units");
  field.role = text(json.value("role", Json("")), field.name + ": role");
  const auto dtype = json.value("dtype", std::string("float32"));
  if (dtype != "float32" && dtype != "float64")
    refuse(field.name + ": expected dtype float32 or float64, got " + printable(dtype));
  field.kind = dtype == "float64" ? HYBRID_FLOAT64 : HYBRID_FLOAT32;
  parse_dims(json, field);
  field.valid_min = bound(json, "valid_min", field);
  field.valid_max = bound(json, "valid_max", field);
  check_order(field);
  return field;
}

std::vector<Field> parse_fields(const Json &spec, const char *group) {
  std::vector<Field> fields;
  for (const auto &entry : list(spec, group, "spec", most_fields))
    fields.push_back(parse_field(entry));
  return fields;
}

PrecisionVerdict parse_verdict(const Json &json) {
  return {text(json.at("verdict"), "reduced_precision: verdict"),
          printable(json.at("reason").get<std::string>())};
}

std::optional<Grid> parse_grid(const Json &spec) {
  const auto found = spec.find("grid");
  if (found == spec.end() || found->is_null()) return std::nullopt;
  Grid grid;
  for (const auto &value : list(*found, "spacing", "grid", most_dims)) {
    if (!value.is_number() || !(value.get<double>() > 0))
      refuse("grid: expected positive numbers for spacing, got " + printable(value.dump()));
    grid.spacing.push_back(value.get<double>());
  }
  for (const auto &value : list(*found, "boundary", "grid", most_dims)) {
    grid.boundary.push_back(text(value, "grid: boundary"));
    const auto &side = grid.boundary.back();
    if (side != "periodic" && side != "wall" && side != "halo")
      refuse("grid: expected boundary 'periodic', 'wall' or 'halo', got '" + printable(side) + "'");
  }
  if (grid.spacing.empty() || grid.spacing.size() != grid.boundary.size())
    refuse("grid: expected one spacing and one boundary a dimension, got " +
           std::to_string(grid.spacing.size()) + " and " + std::to_string(grid.boundary.size()));
  grid.halo_width = whole(found->at("halo_width"), "grid: halo_width", 0, widest_halo);
  return grid;
}

// What no field alone can show.
void check_together(const Spec &spec) {
  if (spec.outputs.empty()) refuse("expected at least one output");
  const auto arguments = spec.arguments();
  if (arguments.empty()) refuse("expected at least one input, state or noise field");
  if (spec.locality != "column" && spec.locality != "grid")
    refuse("expected locality 'column' or 'grid', got '" + printable(spec.locality) + "'");
  if ((spec.locality == "grid") != spec.grid.has_value())
    refuse("expected grid with locality 'grid' and only then");
  if (arguments.size() + spec.outputs.size() > most_fields)
    refuse("expected at most " + std::to_string(most_fields) + " fields, got " +
           std::to_string(arguments.size() + spec.outputs.size()));
  const int64_t most = spec.locality == "grid" ? largest_member : largest_column;
  std::set<std::string> names;
  int64_t total = 0;
  for (const auto &fields : {arguments, spec.outputs})
    for (const auto &field : fields) {
      if (!names.insert(field.name).second)
        refuse(field.name + ": expected names of fields to differ");
      if (spec.locality == "column" && !field.has_fixed_shape())
        refuse(field.name + ": expected every size of a column's field, got null");
      total += field.size();
    }
  if (total > most)
    refuse("expected fields of at most " + std::to_string(most) + " elements together for each " +
           spec.first_axis() + ", got " + std::to_string(total));
  if (spec.grid) check_grid(spec);
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

std::vector<std::string> fields_without_bounds(const Spec &spec) {
  std::vector<std::string> names;
  for (const auto *fields : {&spec.inputs, &spec.state})
    for (const auto &field : *fields)
      if (!field.has_bounds()) names.push_back(field.name);
  return names;
}

Spec parse_manifest(const std::string &manifest) {
  try {
    const auto json = parse_json(manifest);
    const auto &format = json.at("format");
    const auto &major = format.at("major");
    if (major != supported_major)
      refuse("expected archive format " + std::to_string(supported_major) + ".x, got " +
             printable(major.dump()) + "." + printable(format.value("minor", Json(0)).dump()) +
             "; install a hybrid-closures that reads it, or export the closure again");
    const auto &body = json.at("spec");
    Spec spec;
    // Becomes part of a path: a name has no slashes or dots.
    spec.engine = name(json.at("engine"), "engine");
    if (const auto native = json.find("native");
        native != json.end() && !native->value("expressed", false))
      spec.native_reason = printable(native->value("reason", std::string()));
    if (const auto reduced = json.find("reduced_precision"); reduced != json.end())
      spec.bf16 = parse_verdict(reduced->at("bf16"));
    spec.name = name(body.at("name"), "closure name");
    spec.version = text(body.at("version"), "version");
    spec.locality = body.value("locality", std::string("column"));
    spec.inputs = parse_fields(body, "inputs");
    spec.outputs = parse_fields(body, "outputs");
    spec.state = parse_fields(body, "state");
    spec.noise = parse_fields(body, "noise");
    spec.grid = parse_grid(body);
    check_together(spec);
    return spec;
  } catch (const nlohmann::json::exception &error) {
    refuse(std::string("expected a closure manifest, got text that does not read as one (") +
           printable(error.what()) + "); export the closure again");
  }
}

}  // namespace hybrid
