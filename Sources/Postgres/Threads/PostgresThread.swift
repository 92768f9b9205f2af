/// The only thread of the process that uses libpq, as a global actor.
///
/// All pools, connections and listeners share it. They call each other without switching threads, and
/// the compiler checks that no two threads use a libpq handle. The thread waits in epoll and never
/// blocks on a socket. The number of pools does not change the number of threads.
@globalActor public actor PostgresThread {
    public static let shared = PostgresThread()

    /// The thread's loop. It runs the actor's jobs, and wakes each ``Suspension``.
    static let loop = EventLoop()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { Self.loop.asUnownedSerialExecutor() }
}
