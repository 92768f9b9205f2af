// Tasks, for scratch builds.
extension KojiHub {
    /// Returns a task, or `nil` when it does not exist.
    public func getTaskInfo(_ id: Int) async throws(KojiError) -> KojiTask? {
        try await row(XMLRPCCall("getTaskInfo", .int(id)))
    }

    /// Returns the tasks that a task was divided into. Empty when the task does not exist.
    public func getTaskChildren(_ id: Int) async throws(KojiError) -> [KojiTask] {
        try await rows(XMLRPCCall("getTaskChildren", .int(id)))
    }

    /// Returns the result of a `buildArch` task that ended well.
    ///
    /// - Throws: The fault that a failed task ended with, or another fault if the task has not ended.
    public func getBuildArchResult(_ id: Int) async throws(KojiError) -> BuildArchResult {
        let result = try await call(XMLRPCCall("getTaskResult", .int(id)))
        let paths = { (member: String) throws(KojiError) -> [String] in
            guard let paths = result[member]?.array else { throw self.unexpected("getTaskResult", "it has no list of \(member)") }
            return paths.compactMap(\.string)
        }
        return BuildArchResult(rpms: try paths("rpms"), srpms: try paths("srpms"), logs: try paths("logs"))
    }
}
