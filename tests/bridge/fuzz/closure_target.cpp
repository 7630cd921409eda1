// libFuzzer target: a manifest that is accepted becomes an archive of the stub engine, which is
// loaded and used with canaries around every array.
#include <cstdint>
#include <cstdlib>

#include "error.hpp"
#include "exercise.hpp"
#include "hybrid.h"
#include "sealed.hpp"
#include "spec.hpp"

namespace {

// Larger fields cost time and show nothing that small ones do not.
constexpr int64_t most_elements = 256;

bool is_small(const std::string &manifest) {
  try {
    const auto spec = hybrid::parse_manifest(manifest);
    int64_t elements = 0;
    for (const auto &fields : {spec.arguments(), spec.results()})
      for (const auto &field : fields) elements += field.size();
    return elements <= most_elements && (!spec.grid || spec.grid->halo_width <= 4);
  } catch (const hybrid::Error &) {
    return false;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string manifest(reinterpret_cast<const char *>(data), size);
  if (manifest.empty() || !is_small(manifest)) return 0;
  const auto bytes = sealed(manifest);
  hybrid_closure *closure = nullptr;
  const int status = hybrid_closure_load_memory(bytes.data(), static_cast<int64_t>(bytes.size()),
                                                "mutant", "auto", "cpu", 1, &closure);
  if ((status == HYBRID_OK) != (closure != nullptr)) std::abort();
  if (closure) exercise::use(closure, static_cast<unsigned>(size));
  hybrid_closure_free(closure);
  return 0;
}
