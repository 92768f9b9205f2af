import ComposeModel
import ContentSources

/// The source type `tag`: packages of a Koji tag.
struct TagContentSource: ContentSource {
    let koji: KojiReader
    /// Returns how a tag was pinned last.
    let earlierPin: @Sendable (_ tag: String) async throws -> KojiPin.Tag?

    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource {
        let request = attempt.request
        if let pins = fixed?.koji, let pinned = pins.tag {
            return PinnedKoji(pin: KojiPin(tag: pinned, modules: pins.modules, of: request), isCurrent: false, koji: koji)
        }
        let name = request.source.joined(separator: " ")
        let (tag, isCurrent) = try await koji.source.pin(
            tag: name, event: request.kojiEvent, inherits: !request.flags.contains(.noInheritance), earlier: try await earlierPin(name))
        return PinnedKoji(
            pin: KojiPin(tag: tag, modules: try await koji.modules.pin(along: request), of: request),
            isCurrent: isCurrent && request.kojiEvent == nil, koji: koji)
    }
}
