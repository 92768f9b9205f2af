// Tasks, for scratch builds.
extension KojiHub {
    /// The task; `nil` when there is none.
    public func getTaskInfo(_ id: Int) async throws(KojiError) -> KojiTask? {
        try await row(XMLRPCCall("getTaskInfo", .int(id)))
    }

    /// What the task was asked to do. Throws a fault when there is no such task.
    public func getTaskRequest(_ id: Int) async throws(KojiError) -> [XMLRPCValue] {
        let call = XMLRPCCall("getTaskRequest", .int(id))
        guard let request = try await self.call(call).array else { throw unexpected(call.method, "it is not an array") }
        return request
    }

    /// The tasks that it was divided into. Empty when there is no such task.
    public func getTaskChildren(_ id: Int) async throws(KojiError) -> [KojiTask] {
        try await rows(XMLRPCCall("getTaskChildren", .int(id)))
    }

    /// The tasks that it was divided into, and those they were divided into: by the number of the task that was divided.
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

    /// The result of a task that ended well; nil for most kinds. Throws the fault that a failed task ended with, and a fault for one that did not end.
    public func getTaskResult(_ id: Int) async throws(KojiError) -> XMLRPCValue {
        try await call(XMLRPCCall("getTaskResult", .int(id)))
    }

    /// As ``getTaskResult(_:)``, for a task `buildArch`.
    public func getBuildArchResult(_ id: Int) async throws(KojiError) -> BuildArchResult {
        let result = try await getTaskResult(id)
        let paths = { (member: String) throws(KojiError) -> [String] in
            guard let paths = result[member]?.array else { throw self.unexpected("getTaskResult", "it has no list of \(member)") }
            return paths.compactMap(\.string)
        }
        return BuildArchResult(rpms: try paths("rpms"), srpms: try paths("srpms"), logs: try paths("logs"))
    }

    /// The files that the task left behind, by name. Empty when there is no such task.
    public func listTaskOutput(_ id: Int) async throws(KojiError) -> [TaskOutputFile] {
        let call = XMLRPCCall("listTaskOutput", .int(id)).with("stat", true).with("all_volumes", true)
        let answer = try await self.call(call)
        if answer == .array([]) { return [] }
        guard case .structure(let files) = answer else { throw unexpected(call.method, "it is not a struct") }
        var output: [TaskOutputFile] = []
        for (name, volumes) in files.sorted(by: { $0.key < $1.key }) {
            guard case .structure(let volumes) = volumes else { throw unexpected(call.method, "it has a file without volumes") }
            for (volume, status) in volumes.sorted(by: { $0.key < $1.key }) {
                // A string, since a size may be more than XML-RPC's own integers hold.
                guard let size = status["st_size"].flatMap({ $0.int ?? $0.string.flatMap { Int($0) } }) else {
                    throw unexpected(call.method, "it has a file without its size")
                }
                output.append(TaskOutputFile(name: name, volumeName: volume, size: size))
            }
        }
        return output
    }
}
