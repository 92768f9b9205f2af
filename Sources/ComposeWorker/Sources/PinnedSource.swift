import ComposeModel
import ContentSources
import Modules

/// A pinned source is the source of a compose at one moment. Each ``ContentSource`` has its own kind.
protocol PinnedSource: Sendable {
    /// The pins in the form that the database stores.
    var record: ComposePins { get }

    /// Lines for the log, one for each thing that was pinned.
    var lines: [String] { get }

    /// The event of Koji's history at which a tag was pinned, or `nil` if the source is not a tag.
    var kojiEvent: Int? { get }

    /// Returns the words of the request's `source` as resolved.
    func words(of request: ComposeRequest) -> [String]

    /// Returns whether the same pins are sure to mean the same files for `request`. If they are, an earlier
    /// result can be shown without looking at the files.
    func isSettled(for request: ComposeRequest) -> Bool

    /// Brings the content to this host.
    ///
    /// - Parameters:
    ///   - lookaside: Repositories that satisfy requirements and are never part of the result.
    ///   - defaults: The module defaults that the request names.
    func content(lookaside: [RepositoryPin], defaults: ModuleMetadata, for attempt: ComposeAttempt) async throws -> SourceContent
}

extension PinnedSource {
    var kojiEvent: Int? { nil }

    func words(of request: ComposeRequest) -> [String] { request.source }

    func isSettled(for request: ComposeRequest) -> Bool { true }
}
