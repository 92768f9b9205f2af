import Modules

/// The modules of a request, after a check that all of them exist.
struct CheckedModules {
    let content: ModularContent
    /// The module defaults of repositories and lookasides, merged.
    let defaults: [ModuleDefaults]

    var included: Set<NSVC> { content.included }

    /// Checks that the enabled streams and the included builds exist. Returns `nil` if there are no modules
    /// at all.
    ///
    /// Throws `.moduleNotFound` for a module that no architecture has, and `.unusableModules` if the
    /// defaults of repositories and lookasides cannot be merged.
    init?(_ content: ModularContent) throws(DepsolveError) {
        let known = Set((content.metadata.streams + content.lookaside.streams).map(\.id))
        for reference in content.enabled where !known.contains(where: reference.includes) {
            throw Self.notFound(reference, among: known, in: content)
        }
        for build in content.included.sorted() where !known.contains(build) {
            throw Self.notFound(
                ModuleReference(name: build.name, stream: build.stream, version: build.version, context: build.context), among: known,
                in: content)
        }
        if known.isEmpty { return nil }
        self.content = content
        do {
            defaults =
                content.lookaside.defaults.isEmpty
                ? content.metadata.defaults : try ModuleMetadata(merging: [content.metadata, content.lookaside]).defaults
        } catch {
            throw .unusableModules(reason: error.description)
        }
    }

    private static func notFound(
        _ reference: ModuleReference, among known: Set<NSVC>, in content: ModularContent
    ) -> DepsolveError {
        let ofModule = known.filter { $0.name == reference.name }
        let ofStream = ofModule.filter { $0.stream == reference.stream }
        let nearest: [String] =
            if !ofStream.isEmpty {
                ofStream.sorted { $1 < $0 }.prefix(NearestNames.limit).map(\.description)
            } else if !ofModule.isEmpty {
                Set(ofModule.map(\.nameAndStream)).sorted()
            } else {
                NearestNames(candidates: Set(known.map(\.name)).sorted()).nearest(to: reference.name)
            }
        let refused = (content.metadata.unusable + content.lookaside.unusable)
            .filter { $0.mayTell(of: reference.name, stream: reference.stream) }
        return .moduleNotFound(
            reference.description, nearest: nearest, refused: refused.prefix(NearestNames.limit).map(\.description))
    }
}
