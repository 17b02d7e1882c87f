# Elasticsearch 0.90 to 2.x: one jar with its libraries, started by its own main class. Sourced by compose.

coordinates() { echo "org.elasticsearch:elasticsearch:$version log4j:log4j:1.2.17 net.java.dev.jna:jna:4.1.0"; }

# JvmInfo asks the JVM for its boot class path when it starts, and Java 9 and later throw at that.
# The class only reports on the JVM, so the name of the method it calls is replaced by that of a
# harmless one. It has to be done in the jar: 2.x refuses a class that is there twice.
arrange() {
  local jdk class=org/elasticsearch/monitor/jvm/JvmInfo.class jar=$1/lib/elasticsearch-$version.jar work
  jdk=$(need_java 11 17 jar)
  work=$(mktemp -d)
  ( cd "$work" && "$jdk/bin/jar" xf "$jar" "$class" \
    && LC_ALL=C sed -i 's/\x00\x10getBootClassPath/\x00\x0egetSpecVersion/' "$class" \
    && "$jdk/bin/jar" uf "$jar" "$class" )
  rm -rf "$work"
}

logging() {
  local message=%m%n
  [ "$major" -lt 2 ] || message=%.10000m%n
  cat > "$1/logging.yml" <<YML
rootLogger: INFO, console, file
logger:
  action: DEBUG
appender:
  console:
    type: console
    layout:
      type: consolePattern
      conversionPattern: "[%d{ISO8601}][%-5p][%-25c] %m%n"
  file:
    type: dailyRollingFile
    file: \${path.logs}/\${cluster.name}.log
    datePattern: "'.'yyyy-MM-dd"
    layout:
      type: pattern
      conversionPattern: "[%d{ISO8601}][%-5p][%-25c] $message"
YML
}

launcher() {
  local main=Elasticsearch java
  case $major in 0) main=ElasticSearch;; 2) main='Elasticsearch start';; esac
  java=$(need_java 11 17)
  launch_script ES "$java" "--add-opens=java.base/java.lang=ALL-UNNAMED \"-Des.path.home=\$home\" \"-Des.path.conf=\$conf\" \\
  -Des.foreground=yes -cp \"\$home/lib/*\" org.elasticsearch.bootstrap.$main"
}
