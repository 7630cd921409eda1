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

// What most often is meant where units do not convert.
std::string hint(const std::string &host, const ut_unit *host_unit, const ut_unit *closure_unit) {
  if (host == "C") return "; Celsius is 'degC', 'C' is the coulomb";
  const Unit mass_flux(ut_parse(unit_system(), "kg m-2 s-1", UT_UTF8), ut_free);
  const Unit depth_rate(ut_parse(unit_system(), "m s-1", UT_UTF8), ut_free);
  const auto is = [](const ut_unit *unit, const Unit &kind) {
    return ut_are_convertible(unit, kind.get()) != 0;
  };
  if ((is(host_unit, mass_flux) && is(closure_unit, depth_rate)) ||
      (is(host_unit, depth_rate) && is(closure_unit, mass_flux)))
    return "; a flux of mass divided by the density, of water 1000 kg m-3, is a rate of depth";
  return "";
}

}  // namespace

Conversion conversion(const std::string &field, const std::string &host, const std::string &closure,
                      Direction direction) {
  // Reading the unit database takes milliseconds, which a host that needs no conversion is spared.
  if (host == closure) return {};
  const Quiet quiet;
  const Unit host_unit = parse(field, host);
  const Unit closure_unit = parse(field, closure);
  if (ut_compare(host_unit.get(), closure_unit.get()) == 0) return {};
  const auto &from = direction == Direction::to_closure ? host_unit : closure_unit;
  const auto &to = direction == Direction::to_closure ? closure_unit : host_unit;
  const std::unique_ptr<cv_converter, void (*)(cv_converter *)> converter(
      ut_get_converter(from.get(), to.get()), cv_free);
  const std::string pair = "the closure's '" + closure + "', got '" + host + "' for the array";
  if (!converter)
    throw Error(HYBRID_ERROR_UNITS, field + ": expected units that convert to or from " + pair +
                                        "; they measure different things, so convert in the host" +
                                        hint(host, host_unit.get(), closure_unit.get()));
  const double zero = cv_convert_double(converter.get(), 0.0);
  const double one = cv_convert_double(converter.get(), 1.0);
  const double two = cv_convert_double(converter.get(), 2.0);
  if (!std::isfinite(zero) ||
      !(std::abs((two - one) - (one - zero)) <= 1e-12 * (std::abs(two) + std::abs(zero))))
    throw Error(HYBRID_ERROR_UNITS, field + ": expected units that convert linearly to or from " +
                                        pair + "; convert in the host");
  if (zero == 0.0) return {one, -0.0};
  // Beside the offset, the slope from 0 to 1 would lose places.
  constexpr double far = 0x1p20;
  return {(cv_convert_double(converter.get(), far) - zero) / far, zero};
}

}  // namespace hybrid
