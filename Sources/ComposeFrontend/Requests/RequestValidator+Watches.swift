import ComposeModel
import ForeignText

extension RequestValidator {
    /// Returns the compose request of a watch. It may have the members that a compose of a tag may have,
    /// except those that fix the state of the tag or of modules.
    ///
    /// - Throws: ``RequestRejection`` if the source is not a single tag, or if a member cannot be used with
    ///   a watch.
    func watch(_ body: ComposeRequestBody) throws(RequestRejection) -> ComposeRequest {
        guard body.sourceType == SourceType.tag.name else {
            let asked = body.sourceType.map { "is \($0.quoted)" } ?? "is missing"
            throw .badRequest("source.type \(asked); it must be \"tag\": only the packages of a Koji tag can be watched.")
        }
        // If the server cannot compose from tags at all, other faults do not matter. That error is reported
        // first.
        let request = try request(body)
        if body.kojiEvent != nil {
            throw .badRequest(
                "source.koji_event cannot be used with a watch, which is for what the tag becomes; a compose can be of what it was at an event."
            )
        }
        for (member, asked) in [
            ("modular_koji_tags", !request.modularKojiTags.isEmpty), ("scratch_modules", !request.scratchModules.isEmpty),
            ("module_defaults_url", request.moduleDefaultsURL != nil),
        ] where asked {
            throw .badRequest(
                "source.\(member) cannot be used with a watch: only changes of the tag itself are noticed, not those of modules.")
        }
        guard request.source.count == 1 else {
            throw .badRequest("source.source has \(request.source.count) words; a watch is of one Koji tag.")
        }
        return request
    }
}
