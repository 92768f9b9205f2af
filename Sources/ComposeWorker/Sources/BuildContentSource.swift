import ComposeModel

/// The source type `build`: packages of Koji builds.
struct BuildContentSource: ContentSource {
    let koji: KojiReader

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        let request = attempt.request
        let modules = if let pins = fixed?.koji { pins.modules } else { try await koji.modules.pin(along: request) }
        return PinnedKoji(pin: KojiPin(tag: nil, modules: modules, of: request), koji: koji)
    }
}
