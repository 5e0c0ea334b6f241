while waiting=$(hauspost queue list --plain) || exit; [ -n "$waiting" ]
do sleep 1
done
