/// The address by which clients reach the service: configured, or the one that the frontend of this process turns out to listen on.
actor PublicURL {
    private var value: String?
    private var waiting: [CheckedContinuation<String, Never>] = []

    init(_ configured: String?) {
        value = configured
    }

    /// The frontend listens; what is configured goes before.
    func listening(at address: String) {
        guard value == nil else { return }
        value = address
        for continuation in waiting { continuation.resume(returning: address) }
        waiting = []
    }

    /// Waits until the address is known.
    func known() async -> String {
        if let value { return value }
        return await withCheckedContinuation { waiting.append($0) }
    }
}
