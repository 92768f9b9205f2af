// Tasks, for scratch builds.
extension KojiHub {
    /// Returns a task, or `nil` when it does not exist.
    public func getTaskInfo(_ id: Int) async throws(KojiError) -> KojiTask? {
        try await row(XMLRPCCall("getTaskInfo", .int(id)))
    }

    /// Returns the arguments of a task. Throws a fault when the task does not exist.
    public func getTaskRequest(_ id: Int) async throws(KojiError) -> [XMLRPCValue] {
        let call = XMLRPCCall("getTaskRequest", .int(id))
        guard let request = try await self.call(call).array else { throw unexpected(call.method, "it is not an array") }
        return request
    }

    /// Returns the tasks that a task was divided into. Empty when the task does not exist.
    public func getTaskChildren(_ id: Int) async throws(KojiError) -> [KojiTask] {
        try await rows(XMLRPCCall("getTaskChildren", .int(id)))
    }

    /// Returns the direct and indirect subtasks of a task, by the number of the task that was divided.
    public func getTaskDescendents(_ id: Int) async throws(KojiError) -> [Int: [KojiTask]] {
        let call = XMLRPCCall("getTaskDescendents", .int(id))
        guard case .structure(let parents) = try await self.call(call) else { throw unexpected(call.method, "it is not a struct") }
        var tasks: [Int: [KojiTask]] = [:]
        for (parent, children) in parents {
            guard let parent = Int(parent) else { throw unexpected(call.method, "it has a task without a number") }
            tasks[parent] = try rows(in: children, of: call.method)
        }
        return tasks
    }

    /// Returns the result of a task that ended well. It is nil for most kinds of tasks.
    ///
    /// - Throws: The fault that a failed task ended with, or another fault if the task has not ended.
    public func getTaskResult(_ id: Int) async throws(KojiError) -> XMLRPCValue {
        try await call(XMLRPCCall("getTaskResult", .int(id)))
    }

    /// Returns the result of a `buildArch` task, and throws like ``getTaskResult(_:)``.
    public func getBuildArchResult(_ id: Int) async throws(KojiError) -> BuildArchResult {
        let result = try await getTaskResult(id)
        let paths = { (member: String) throws(KojiError) -> [String] in
            guard let paths = result[member]?.array else { throw self.unexpected("getTaskResult", "it has no list of \(member)") }
            return paths.compactMap(\.string)
        }
        return BuildArchResult(rpms: try paths("rpms"), srpms: try paths("srpms"), logs: try paths("logs"))
    }

    /// Returns the files that a task left behind, sorted by name. Empty when the task does not exist.
    public func listTaskOutput(_ id: Int) async throws(KojiError) -> [TaskOutputFile] {
        let call = XMLRPCCall("listTaskOutput", .int(id)).with("stat", true).with("all_volumes", true)
        let answer = try await self.call(call)
        if answer == .array([]) { return [] }
        guard case .structure(let files) = answer else { throw unexpected(call.method, "it is not a struct") }
        var output: [TaskOutputFile] = []
        for (name, volumes) in files.sorted(by: { $0.key < $1.key }) {
            guard case .structure(let volumes) = volumes else { throw unexpected(call.method, "it has a file without volumes") }
            for (volume, status) in volumes.sorted(by: { $0.key < $1.key }) {
                // A hub may send the size as a string, because it can exceed the integers of plain XML-RPC.
                guard let size = status["st_size"].flatMap({ $0.int ?? $0.string.flatMap { Int($0) } }) else {
                    throw unexpected(call.method, "it has a file without its size")
                }
                output.append(TaskOutputFile(name: name, volumeName: volume, size: size))
            }
        }
        return output
    }
}
