// libFuzzer target: whatever text stands in place of the manifest, it is refused or held to bounds.
#include <cstdint>
#include <cstdlib>

#include "checked_message.hpp"
#include "spec.hpp"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check_field(const hybrid::Field &field, int64_t most) {
  require(!field.name.empty() && field.name.size() <= 63);
  require(field.units.size() <= hybrid::longest_text);
  require(field.units.find('\0') == std::string::npos);
  require(field.dims.size() == field.shape.size() && field.dims.size() <= hybrid::most_dims);
  for (const auto extent : field.shape) require(extent == hybrid::any_size || extent >= 1);
  require(field.size() >= 1 && field.size() <= most);
  for (const auto *bound : {&field.valid_min, &field.valid_max})
    require(bound->size() <= 1 || static_cast<int64_t>(bound->size()) == field.size());
}

void check_spec(const hybrid::Spec &spec) {
  const bool is_grid = spec.locality == "grid";
  const int64_t most = is_grid ? hybrid::largest_member : hybrid::largest_column;
  require(spec.engine.find_first_of("/.") == std::string::npos);
  require(is_grid == spec.grid.has_value());
  int64_t total = 0;
  for (const auto &fields : {spec.arguments(), spec.outputs}) {
    require(!fields.empty() && fields.size() <= hybrid::most_fields);
    for (const auto &field : fields) {
      check_field(field, most);
      total += field.size();
    }
  }
  require(total <= most);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    check_spec(hybrid::parse_manifest({reinterpret_cast<const char *>(data), size}));
  } catch (const hybrid::Error &error) {
    check_message(error);
  }
  return 0;
}
