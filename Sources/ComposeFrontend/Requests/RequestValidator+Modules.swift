import ComposeModel
import ForeignText

/// Checks for the modules of a request.
extension RequestValidator {
    /// Checks the members of `body` that concern modules, and copies them to `request`. Throws if a value
    /// is not possible.
    func takeModules(of body: ComposeRequestBody, into request: inout ComposeRequest) throws(RequestRejection) {
        let prefix = body.sourcePrefix
        let words = WordList(limits: limits)
        request.modules = try words.modules(body.modules, "\(prefix)modules")
        request.scratchModules = try words.modules(body.scratchModules, "\(prefix)scratch_modules")
        request.modularKojiTags = try words.plain(body.modularKojiTags, "\(prefix)modular_koji_tags")
        request.baseModuleBrName = try words.single(body.baseModuleBrName, "\(prefix)base_module_br_name")
        request.baseModuleBrStream = try words.single(body.baseModuleBrStream, "\(prefix)base_module_br_stream")
        request.baseModuleBrStreamVersionLTE = try positive(
            body.baseModuleBrStreamVersionLTE, "\(prefix)base_module_br_stream_version_lte")
        request.baseModuleBrStreamVersionGTE = try positive(
            body.baseModuleBrStreamVersionGTE, "\(prefix)base_module_br_stream_version_gte")
        request.moduleDefaultsURL = try words.single(body.moduleDefaultsURL, "\(prefix)module_defaults_url")
        request.moduleDefaultsCommit = try words.single(body.moduleDefaultsCommit, "\(prefix)module_defaults_commit")
        request.moduleHotfixes = body.moduleHotfixes == true ? true : nil

        guard (request.moduleDefaultsURL == nil) == (request.moduleDefaultsCommit == nil) else {
            throw .badRequest(
                "\(prefix)module_defaults_url and \(prefix)module_defaults_commit must be given together, or neither of them.")
        }
        if request.sourceType == .module {
            guard request.packages.isEmpty else {
                throw .badRequest(
                    "\(prefix)packages cannot be used with the source type module: a module says itself which packages are its own.")
            }
            for module in request.source where admission.capabilities.baseModules.contains(String(module.prefix { $0 != ":" })) {
                throw .badRequest(
                    "\(prefix)source is \(module.quoted), a base module, which every machine has already: it stands for the version of the system. "
                        + "Name the modules that are to be in the compose.")
            }
        }
    }
}
