extension Containerfile {
    /// Returns the names among `contexts` whose files COPY or RUN takes.
    public func contextsUsed(among contexts: Set<String>) -> Set<String> {
        Set(stages.flatMap(\.instructions).flatMap(\.filesFrom)).intersection(contexts)
    }
}
