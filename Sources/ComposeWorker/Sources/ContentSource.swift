import ComposeModel

/// A content source makes composes of one ``SourceType``. It finds out what the words of a request mean
/// at this moment. ``ComposeSources`` has one content source for each type that this worker can use.
///
/// Example: ``RepoContentSource`` pins repositories by the checksum of their repomd.xml.
protocol ContentSource: Sendable {
    /// Returns the pinned source of the attempt's compose.
    ///
    /// - Parameter fixed: The pins that hold for the compose, for example because it is renewed. If they
    ///   are `nil`, the source is pinned as it is now.
    func pin(_ attempt: ComposeAttempt, fixed: ComposePins?) async throws -> any PinnedSource
}
