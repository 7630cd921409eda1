#include "engine.hpp"

#include <dlfcn.h>

#include <array>
#include <cstdlib>
#include <map>
#include <mutex>

#include "error.hpp"
#include "float_environment.hpp"

namespace hybrid {

namespace {

std::string own_folder() {
  Dl_info info;
  if (!dladdr(reinterpret_cast<const void *>(&hybrid_version), &info)) return ".";
  const std::string path = info.dli_fname;
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

void *open_object(const std::string &path) {
  // Local and deep-bound: torch exports BLAS symbols that must not meet the host's BLAS.
  return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
}

// Makes the torch of HYBRID_TORCH_LIB the one the engine finds: the loader reuses a library that
// is already open under the same SONAME.
void preload_torch() {
  const char *folder = std::getenv("HYBRID_TORCH_LIB");
  if (!folder || !*folder) return;
  for (const char *name : {"/libc10.so", "/libtorch_cpu.so", "/libtorch.so"})
    if (!open_object(folder + std::string(name)))
      throw Error(HYBRID_ERROR_ENGINE,
                  std::string("HYBRID_TORCH_LIB: expected the lib folder of ") +
                      "a torch installation, got '" + folder + "' (" + dlerror() + ")");
}

const hybrid_engine *open_engine(const std::string &name) {
  if (name != "torchscript")
    throw Error(HYBRID_ERROR_ENGINE,
                "engine: expected 'auto' or 'torchscript', got '" + name + "'");
  preload_torch();
  const std::string path = own_folder() + "/libhybrid_" + name + ".so";
  void *object = open_object(path);
  if (!object)
    throw Error(HYBRID_ERROR_ENGINE, "engine " + name + ": could not be opened (" +
                                         std::string(dlerror()) +
                                         "); run 'hybrid bridge build', or set HYBRID_TORCH_LIB " +
                                         "to the lib folder of the torch it was built with");
  const auto entry = reinterpret_cast<hybrid_engine_entry>(dlsym(object, "hybrid_engine_v1"));
  const hybrid_engine *engine = entry ? entry() : nullptr;
  if (!engine || engine->abi_version != HYBRID_ENGINE_ABI_VERSION)
    throw Error(HYBRID_ERROR_ENGINE,
                path + ": not an engine of this version of the library; " + "build both together");
  return engine;
}

// Engines stay open for the life of the process: libtorch cannot be unloaded safely.
const hybrid_engine *engine_called(const std::string &name) {
  static std::mutex mutex;
  static std::map<std::string, const hybrid_engine *> engines;
  const std::lock_guard<std::mutex> lock(mutex);
  auto &engine = engines[name];
  if (!engine) engine = open_engine(name);
  return engine;
}

std::vector<hybrid_engine_field> described(const std::vector<Field> &fields) {
  std::vector<hybrid_engine_field> all;
  for (const auto &field : fields)
    all.push_back(
        {field.name.c_str(), field.kind, static_cast<int>(field.shape.size()), field.shape.data()});
  return all;
}

using Message = std::array<char, 4096>;

}  // namespace

Model::Model(const std::string &engine, const Archive &archive, const Spec &spec) {
  engine_ = engine_called(engine);
  const auto argument_fields = spec.arguments();
  const auto result_fields = spec.results();
  const auto arguments = described(argument_fields);
  const auto results = described(result_fields);
  Message message{};
  if (engine_->open(archive.bytes.data(), archive.bytes.size(), arguments.data(),
                    static_cast<int>(arguments.size()), results.data(),
                    static_cast<int>(results.size()), &model_, message.data(), message.size()))
    throw Error(HYBRID_ERROR_ENGINE,
                spec.name + ": engine " + engine_->name + " could not load it: " + message.data());
}

Model::~Model() {
  const FloatEnvironment environment;
  engine_->close(model_);
}

void Model::run(const hybrid_engine_call &call) const {
  Message message;
  message[0] = '\0';
  if (engine_->run(model_, &call, message.data(), message.size()))
    throw Error(HYBRID_ERROR_ENGINE,
                std::string("engine ") + engine_->name + ": " + message.data());
}

}  // namespace hybrid
