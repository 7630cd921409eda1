#include "units.hpp"

#include <udunits2.h>

#include <cmath>
#include <memory>
#include <mutex>

#include "error.hpp"

namespace hybrid {

namespace {

// UDUNITS keeps its status and message handler in globals: one caller at a time, and the
// handler of a host that uses UDUNITS itself is put back.
class Quiet {
 public:
  Quiet() : lock_(mutex()), previous_(ut_set_error_message_handler(ut_ignore)) {}
  ~Quiet() { ut_set_error_message_handler(previous_); }
  Quiet(const Quiet &) = delete;
  Quiet &operator=(const Quiet &) = delete;

 private:
  static std::mutex &mutex() {
    static std::mutex only;
    return only;
  }
  std::lock_guard<std::mutex> lock_;
  ut_error_message_handler previous_;
};

ut_system *unit_system() {
  static const std::unique_ptr<ut_system, void (*)(ut_system *)> system(ut_read_xml(nullptr),
                                                                        ut_free_system);
  if (!system)
    throw Error(HYBRID_ERROR_UNITS,
                "UDUNITS-2 found no unit database; install it or set UDUNITS2_XML_PATH");
  return system.get();
}

using Unit = std::unique_ptr<ut_unit, void (*)(ut_unit *)>;

Unit parse(const std::string &field, const std::string &text) {
  Unit unit(ut_parse(unit_system(), text.c_str(), UT_UTF8), ut_free);
  if (!unit)
    throw Error(HYBRID_ERROR_UNITS, field + ": expected units that UDUNITS-2 knows, got '" + text +
                                        "'; write them like 'K', 'hPa' or 'kg kg-1 s-1'");
  return unit;
}

}  // namespace

Conversion conversion(const std::string &field, const std::string &from, const std::string &to) {
  const Quiet quiet;
  const Unit source = parse(field, from);
  const Unit target = parse(field, to);
  if (ut_compare(source.get(), target.get()) == 0) return {};
  const std::unique_ptr<cv_converter, void (*)(cv_converter *)> converter(
      ut_get_converter(source.get(), target.get()), cv_free);
  if (!converter)
    throw Error(HYBRID_ERROR_UNITS, field + ": expected units that convert from '" + from +
                                        "' to '" + to + "'; they measure different things");
  const double zero = cv_convert_double(converter.get(), 0.0);
  const double one = cv_convert_double(converter.get(), 1.0);
  const double two = cv_convert_double(converter.get(), 2.0);
  if (!(std::abs((two - one) - (one - zero)) <= 1e-12 * (std::abs(two) + std::abs(zero))))
    throw Error(HYBRID_ERROR_UNITS, field + ": the conversion from '" + from + "' to '" + to +
                                        "' is not linear; convert it in the host");
  return {one - zero, zero};
}

}  // namespace hybrid
