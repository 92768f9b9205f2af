import Postgres

/// Returns the duration as an interval of PostgreSQL.
func interval(_ duration: Duration) -> SQL {
    "make_interval(secs => \(duration / .seconds(1)))"
}
