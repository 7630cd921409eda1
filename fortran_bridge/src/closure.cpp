#include "closure.hpp"

#include "describe.hpp"
#include "log.hpp"

namespace hybrid {

Closure::Closure(Archive archive, const std::string &engine, const EngineOptions &options)
    : manifest_(std::move(archive.manifest)),
      spec_(parse_manifest(manifest_)),
      chosen_(open_chosen(engine, archive, spec_, options)),
      self_test_(*this),
      description_(describe(spec_, chosen_, self_test_.alike())) {
  log(HYBRID_LOG_INFO, description_.substr(0, description_.find('\n')));
}

Session Closure::prepare(int64_t n, const Shapes &shapes, const Buffers &arguments) const {
  return chosen_.model->prepare(n, shapes, arguments);
}

}  // namespace hybrid
