#include "describe.hpp"

#include <algorithm>
#include <sstream>

#include "names.hpp"

namespace hybrid {

namespace {

void write_bound(std::ostream &text, const char *label, const std::vector<double> &bound,
                 double (*extreme)(const std::vector<double> &)) {
  if (bound.empty()) return;
  text << ", " << label << " " << extreme(bound);
  if (bound.size() > 1) text << " (by element)";
}

double smallest(const std::vector<double> &values) {
  return *std::min_element(values.begin(), values.end());
}

double largest(const std::vector<double> &values) {
  return *std::max_element(values.begin(), values.end());
}

void write_fields(std::ostream &text, const char *group, const std::vector<Field> &fields,
                  const std::string &first_axis) {
  for (const auto &field : fields) {
    text << "\n  " << group << " " << field.name << " [" << field.units << "] (" << first_axis;
    for (size_t dim = 0; dim < field.dims.size(); ++dim) {
      text << ", " << field.dims[dim] << " = ";
      if (field.shape[dim] == any_size)
        text << "any";
      else
        text << field.shape[dim];
    }
    text << "), " << (field.kind == HYBRID_FLOAT64 ? "float64" : "float32");
    write_bound(text, "from", field.valid_min, smallest);
    write_bound(text, "to", field.valid_max, largest);
    if (!field.role.empty()) text << ", role " << field.role;
  }
}

}  // namespace

std::string describe(const Spec &spec, const ChosenModel &chosen,
                     const std::vector<Block> &blocks) {
  const auto &model = *chosen.model;
  std::ostringstream text;
  text << spec.name << " " << spec.version << ": " << spec.locality << " closure, engine "
       << model.engine_name() << " " << model.engine_version() << " on " << model.device();
  if (model.is_column_exact()) {
    text << ", blocks of any size";
  } else if (spec.locality == "column") {
    text << ", blocks that round alike:";
    for (const auto &block : blocks) text << " " << block.size;
  }
  if (!chosen.why_not_native.empty()) text << "\n  not native: " << chosen.why_not_native;
  if (const auto precision = model.precision(); !precision.empty())
    text << "\n  precision " << precision << (spec.bf16.verdict == "on trial" ? ", on trial" : "");
  const auto unbounded = fields_without_bounds(spec);
  if (!unbounded.empty()) {
    text << "\n  without two bounds: " << joined(unbounded, ", ")
         << "; the guard cannot tell values that the closure was not made for";
    if (spec.locality == "column" && !model.is_column_exact())
      text << ", and blocks are multiples of 32 columns";
  }
  if (spec.grid) {
    text << "\n  grid";
    for (size_t dim = 0; dim < spec.grid->spacing.size(); ++dim)
      text << (dim ? "; spacing " : " spacing ") << spec.grid->spacing[dim] << ", "
           << spec.grid->boundary[dim];
    text << "; halo " << spec.grid->halo_width;
  }
  const auto axis = spec.first_axis();
  write_fields(text, "input", spec.inputs, axis);
  write_fields(text, "output", spec.outputs, axis);
  write_fields(text, "state", spec.state, axis);
  write_fields(text, "noise", spec.noise, axis);
  return text.str();
}

}  // namespace hybrid
