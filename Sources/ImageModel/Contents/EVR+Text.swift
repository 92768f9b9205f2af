extension EVR {
    /// Reads `[EPOCH:]VERSION[-RELEASE]`. Without a release, the value is older than every build of that
    /// version.
    ///
    /// Returns `nil` for any other text.
    public init?(written text: some StringProtocol) {
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let epoch = halves.count == 2 ? Int(halves[0]) : 0
        let parts = (halves.last ?? "").split(separator: "-", omittingEmptySubsequences: false)
        guard let epoch, epoch >= 0, (1...2).contains(parts.count), text.utf8.count <= 256,
            parts.allSatisfy({ part in !part.isEmpty && part.utf8.allSatisfy { $0.isLetterOrDigit || "._+~^".utf8.contains($0) } })
        else { return nil }
        self.init(epoch: epoch, version: String(parts[0]), release: parts.count == 2 ? String(parts[1]) : "")
    }
}
