/// A tree writer writes all files of a compose whose packages another program chooses.
protocol TreeWriter: Sendable {
    /// Writes the files, and returns their description. Throws a `ComposeFailure`.
    func write() async throws -> WrittenTree
}
